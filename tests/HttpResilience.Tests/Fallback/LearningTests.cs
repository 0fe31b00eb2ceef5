using static HttpResilience.Tests.Fallback.FallbackChain;

namespace HttpResilience.Tests.Fallback;

/// <summary>Whatever a response says, and whatever goes wrong while it is learned, its caller has its body.</summary>
public sealed class LearningTests
{
    private const string LastSecond = "Fri, 31 Dec 9999 23:59:59 GMT";

    public static TheoryData<string, string> Times => new()
    {
        { "Expires", LastSecond },
        { "Expires", "Mon, 01 Jan 0001 00:00:00 GMT" },
        { "Cache-Control", "max-age=99999999999999999999" },
        { "Cache-Control", "max-age=-1" },
        { "Cache-Control", "max-age=2147483648, stale-if-error=99999999999999999999" },
        { "Age", "-1" },
        { "Age", "99999999999999999999" },
        { "Date", LastSecond },
        { "Date", "Mon, 01 Jan 0001 00:00:00 GMT" },
        { "Retry-After", LastSecond },
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Times))]
    public async Task A_response_with_an_extreme_time_is_read_to_its_end(string name, string value)
    {
        var lastHour = DateTimeOffset.MaxValue.AddHours(-1);
        foreach (var now in (DateTimeOffset?[])[null, lastHour])
        {
            using var chain = Open();
            if (now is { } late)
                chain.Clock.Advance(late - chain.Clock.GetUtcNow());
            chain.Server.Script(Good("whole", (name, value)));

            (await ReadAsync(chain)).ShouldBe("whole");
        }
    }

    [Theory]
    [InlineData("Expires", LastSecond), InlineData("Age", "-1"), InlineData("Age", "0, 99999999")]
    [InlineData("Cache-Control", "max-age=99999999999999999999")]
    public async Task A_response_with_a_clamped_time_is_used_when_the_next_call_fails(string name, string value)
    {
        using var chain = Open();
        chain.Server.Script(Good("kept", (name, value)));
        (await ReadAsync(chain)).ShouldBe("kept");
        chain.Server.Script(Replies.Status(503));

        (await chain.StaleAsync()).ShouldBe("kept");
    }

    [Fact]
    public async Task A_failure_of_the_learning_is_logged_and_the_caller_has_the_body()
    {
        using var chain = Open();
        var content = new UnknownLength { Fails = true };
        chain.Server.Script(Replies.With(() => new HttpResponseMessage { Content = content }));

        using var response = await chain.SendAsync(true, Chain.Get(), completion: HttpCompletionOption.ResponseHeadersRead);

        content.Fails = false;
        (await response.Content.ReadAsStringAsync(Stop)).ShouldBe("whole");
        chain.Logs.Entries.ShouldContain(l => l.Id.Id == 533);
    }

    private static async Task<string> ReadAsync(Chain chain)
    {
        using var response = await chain.SendAsync(true, Chain.Get());
        return await response.Content.ReadAsStringAsync(Stop);
    }

    /// <summary>A content of the application whose length cannot be computed for a while.</summary>
    private sealed class UnknownLength : HttpContent
    {
        internal bool Fails { get; set; }

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            stream.WriteAsync("whole"u8.ToArray()).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 5;
            return !Fails ? true : throw new InvalidOperationException("The length is not known yet.");
        }
    }
}
