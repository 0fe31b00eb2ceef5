namespace HttpResilience.IntegrationTests;

/// <summary>Sends synchronously or asynchronously.</summary>
public enum Mode
{
    Async,
    Sync,
}

internal static class Sending
{
    internal static HttpRequestMessage Get(string target = "/") => new(HttpMethod.Get, target);

    internal static HttpRequestMessage Post(string body = "the body") =>
        new(HttpMethod.Post, "/invoices") { Content = new StringContent(body) };

    extension(HttpClient client)
    {
        /// <summary>Sends, and fails when the call hangs.</summary>
        internal async Task<HttpResponseMessage> SendAsync(
            Mode mode, HttpRequestMessage request, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead,
            CancellationToken? caller = null)
        {
            var cancellationToken = caller ?? CancellationToken.None;
            // On its own thread, because many blocked calls would starve the thread pool.
            Task<HttpResponseMessage> sending = mode is Mode.Async
                ? client.SendAsync(request, completion, cancellationToken)
                : Task.Factory.StartNew(() => client.Send(request, completion, cancellationToken), CancellationToken.None,
                    TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return await sending.WaitAsync(ResilientClientUnderTest.Hang, TestContext.Current.CancellationToken);
        }

        /// <summary>Sends a request that must fail.</summary>
        internal Task<TException> FailAsync<TException>(
            Mode mode, HttpRequestMessage request, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead,
            CancellationToken? caller = null)
            where TException : Exception =>
            FailureOf<TException>(client.SendAsync(mode, request, completion, caller));
    }

    /// <summary>Returns the thrown exception itself; Shouldly replaces that of a cancelled task.</summary>
    internal static async Task<TException> FailureOf<TException>(Task task)
        where TException : Exception
    {
        var exception = await Record.ExceptionAsync(() => task);
        // Shouldly accepts null as any type.
        return exception.ShouldNotBeNull().ShouldBeAssignableTo<TException>()!;
    }

    internal static async Task<string> TextAsync(this HttpResponseMessage response) =>
        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WaitAsync(ResilientClientUnderTest.Hang);
}
