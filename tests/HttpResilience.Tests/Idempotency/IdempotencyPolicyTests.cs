namespace HttpResilience.Tests.Idempotency;

public sealed class IdempotencyPolicyTests
{
    [Fact]
    public void The_options_start_with_the_documented_defaults()
    {
        var options = new IdempotencyOptions();

        options.Enabled.ShouldBeTrue();
        options.HeaderName.ShouldBe("Idempotency-Key");
        options.Methods.ShouldBe(["POST", "PATCH"]);
        options.Quoted.ShouldBeFalse();
    }

    [Fact]
    public void Switched_off_there_is_no_policy() => IdempotencyPolicy.From(new() { Enabled = false }).ShouldBeNull();

    [Theory]
    [InlineData("POST", true)]
    [InlineData("PATCH", true)]
    [InlineData("post", true)]
    [InlineData("GET", false)]
    [InlineData("PUT", false)]
    [InlineData("DELETE", false)]
    [InlineData("HEAD", false)]
    [InlineData("OPTIONS", false)]
    public void By_default_POST_and_PATCH_get_a_key(string method, bool applies) =>
        IdempotencyPolicy.From(new())!.AppliesTo(new HttpMethod(method)).ShouldBe(applies);

    [Fact]
    public void The_policy_takes_every_option_over()
    {
        var policy = IdempotencyPolicy.From(new() { HeaderName = "X-Request-Id", Methods = ["DELETE"], Quoted = true })!;

        policy.HeaderName.ShouldBe("X-Request-Id");
        policy.Quoted.ShouldBeTrue();
        policy.Methods.ShouldBe(["DELETE"]);
        policy.AppliesTo(HttpMethod.Delete).ShouldBeTrue();
        policy.AppliesTo(HttpMethod.Post).ShouldBeFalse();
    }

    [Fact]
    public void A_policy_does_not_follow_options_that_change_after_it()
    {
        var options = new IdempotencyOptions();
        var policy = IdempotencyPolicy.From(options)!;

        options.Methods.Clear();
        options.HeaderName = "X";

        policy.AppliesTo(HttpMethod.Post).ShouldBeTrue();
        policy.HeaderName.ShouldBe("Idempotency-Key");
    }
}
