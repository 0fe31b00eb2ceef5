using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary><c>Retry:Methods</c>: which methods may be repeated at all.</summary>
public sealed class RepeatedMethodsTests
{
    [Theory, InlineData("GET", 4), InlineData("POST", 4), InlineData("PUT", 1), InlineData("DELETE", 1), InlineData("HEAD", 1)]
    public async Task A_method_that_is_not_listed_is_sent_once(string method, int sent)
    {
        using var chain = new Chain(settings: Only("GET", "POST"));
        chain.Server.Script(Replies.Status(503));

        using var response = await chain.SendAsync(true, new(new(method), "invoices/1"));

        chain.Server.Requests.Count.ShouldBe(sent);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
    }

    [Theory, InlineData(429), InlineData(0)]
    public async Task It_is_sent_once_also_when_it_was_not_processed(int status)
    {
        using var chain = new Chain(o => o.Retry.Methods = ["GET"]);
        chain.Server.Script(status == 0 ? Replies.ConnectionRefused() : Replies.Status(status));

        await Record.ExceptionAsync(async () => (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose());

        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task It_is_not_hedged()
    {
        using var chain = Hedging.HedgedChain.Create(o => (o.Retry.Methods, o.Hedging.Delay) = (["GET"], TimeSpan.Zero));
        chain.Server.Script(Replies.Status(200));

        (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose();

        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData(500, DeadLetterStatus.RequiresReview), InlineData(429, DeadLetterStatus.Pending)]
    public async Task Its_letter_is_not_replayed_when_it_may_have_been_processed(int status, DeadLetterStatus expected)
    {
        var store = new TestStorage();
        using var chain = new Chain(
            o => (o.DeadLetter.Enabled, o.Retry.Methods) = (true, ["GET"]), services: s => s.AddSingleton(store.DeadLetters));
        chain.Server.Script(Replies.Status(status));

        (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose();

        store.Letter.Status.ShouldBe(expected);
    }

    [Fact]
    public async Task Null_in_the_configuration_is_all_methods()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Retry:Methods"] = null });
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose();

        chain.State.Policy.Retry.Methods.ShouldBeNull();
        chain.Server.Requests.Count.ShouldBe(4);
    }

    private static Dictionary<string, string?> Only(params string[] methods) =>
        methods.Index().ToDictionary(m => $"Retry:Methods:{m.Index}", m => (string?)m.Item);
}
