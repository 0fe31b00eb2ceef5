namespace HttpResilience.IntegrationTests;

public sealed class KeepAliveTests
{
    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Connections_closed_by_the_server_between_calls_fail_no_call(Mode mode)
    {
        // The response says keep-alive, and the server closes the connection all the same.
        await using var server = new RawServer(Raw.AnswerAndClose("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
        await using var client = new ResilientClientUnderTest(server.Uri);

        for (int call = 0; call < 50; call++)
        {
            using var response = await client.Client.SendAsync(mode, Sending.Post());
            response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        }
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_connection_that_breaks_during_the_next_call_costs_an_attempt_and_fails_no_call(Mode mode)
    {
        await using var server = new RawServer(Raw.Ok, Raw.ResetAfterReading, Raw.Ok, Raw.AnswerAndClose(""), Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        for (int call = 0; call < 3; call++)
        {
            using var response = await client.Client.SendAsync(mode, Sending.Post());
            response.ShouldHaveSucceeded(attempts: call == 0 ? 1 : 2);
        }
    }
}
