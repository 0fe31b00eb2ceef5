namespace HttpResilience.Tests.Http;

/// <summary>RFC 9110 §9.2.</summary>
public sealed class HttpMethodsTests
{
    [Theory]
    [InlineData("GET", true, true), InlineData("HEAD", true, true), InlineData("OPTIONS", true, true), InlineData("TRACE", true, true)]
    [InlineData("PUT", false, true), InlineData("DELETE", false, true)]
    [InlineData("POST", false, false), InlineData("PATCH", false, false), InlineData("CONNECT", false, false)]
    [InlineData("PURGE", false, false)]
    public void A_method_is_safe_or_idempotent_by_its_definition(string name, bool isSafe, bool isIdempotent)
    {
        var method = new HttpMethod(name);

        (method.IsSafe, method.IsIdempotent).ShouldBe((isSafe, isIdempotent));
    }
}
