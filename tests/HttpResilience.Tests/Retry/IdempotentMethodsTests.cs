using HttpResilience.Tests.Hedging;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary>Which methods are repeated although they may have been processed: IANA's registry and <c>Retry:IdempotentMethods</c>.</summary>
public sealed class IdempotentMethodsTests
{
    [Theory]
    [InlineData("QUERY", 4), InlineData("PROPFIND", 4), InlineData("REPORT", 4), InlineData("SEARCH", 4), InlineData("MKCOL", 4)]
    [InlineData("MOVE", 4), InlineData("UNLOCK", 4), InlineData("PROPPATCH", 4), InlineData("LOCK", 1), InlineData("PURGE", 1)]
    [InlineData("CONFIRM", 1)]
    public async Task An_idempotent_method_is_repeated(string method, int sent)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503));

        using var response = await chain.SendAsync(true, new(new(method), "invoices/1") { Content = new StringContent("a") });

        chain.Server.Requests.Count.ShouldBe(sent);
        chain.Server.Requests.ShouldAllBe(r => r.Text == "a");
        response.GetHttpCall()!.StopReason.ShouldBe(sent == 1 ? StopReason.UnsafeMethod : StopReason.AttemptsExhausted);
    }

    [Theory, InlineData("PURGE", 4), InlineData("CONFIRM", 4), InlineData("PATCH", 1), InlineData("LOCK", 1), InlineData("PUT", 4)]
    public async Task A_method_that_the_client_lists_is_repeated_too(string method, int sent)
    {
        using var chain = new Chain(
            o => o.Idempotency.Enabled = false,
            settings: new Dictionary<string, string?>
            {
                ["Retry:IdempotentMethods:0"] = "PURGE",
                ["Retry:IdempotentMethods:1"] = "CONFIRM",
            });
        chain.Server.Script(Replies.Status(503));

        (await chain.SendAsync(true, new(new(method), "invoices/1"))).Dispose();

        chain.Server.Requests.Count.ShouldBe(sent);
    }

    [Fact]
    public async Task It_is_hedged()
    {
        using var chain = HedgedChain.Create(o => o.Retry.IdempotentMethods = ["PURGE"]);
        chain.Server.Script(Replies.Hangs(), Replies.Status(200));

        var sending = chain.SendAsync(true, new(new("PURGE"), "invoices/1"));
        await chain.PassDelayAsync();
        (await sending).Dispose();

        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Theory, InlineData("PURGE", DeadLetterStatus.Pending), InlineData("LOCK", DeadLetterStatus.RequiresReview)]
    public async Task Its_letter_is_replayed(string method, DeadLetterStatus expected)
    {
        var store = new TestStorage();
        using var chain = new Chain(
            o => (o.DeadLetter.Enabled, o.DeadLetter.Methods, o.Retry.IdempotentMethods) = (true, ["PURGE", "LOCK"], ["PURGE"]),
            services: s => s.AddSingleton(store.DeadLetters));
        chain.Server.Script(Replies.Status(500));

        (await chain.SendAsync(true, new(new(method), "invoices/1"))).Dispose();

        store.Letter.Status.ShouldBe(expected);
    }
}
