using System.Net;
using System.Text;
using HttpResilience.Tests.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Calls;

/// <summary>
/// What a call allocates beside a bare client, to the byte, one at a time and a hundred at once: whoever adds an object sees it here. The
/// figures are those of this build, in which the compiler makes a frame an object of its own; the README has those of a release.
/// </summary>
[Collection(Alone.Name)]
public sealed class CallAllocationTests
{
    private static readonly Uri Uri = new("https://api.example.com/v1/invoices/17");

    public static TheoryData<string, int> Scenarios => new()
    {
        { "GET, answered at once", 720 },
        { "GET", 584 },
        { "GET with 3 headers", 808 },
        { "GET for a tenant", 720 },
        { "POST with a key", 680 },
        { "503, then 200", 760 },
    };

    [Theory, MemberData(nameof(Scenarios))]
    public void A_call_allocates_as_many_bytes_as_yesterday(string scenario, int bytes)
    {
        double one = Added(scenario, inFlight: 1), hundred = Added(scenario, inFlight: 100);

        TestContext.Current.TestOutputHelper?.WriteLine($"{scenario}: {one} B, {hundred} B each of a hundred at once");
        // What the runtime allocates once counts too.
        one.ShouldBe(bytes, tolerance: 1);
        hundred.ShouldBe(bytes, tolerance: 1);
    }

    /// <summary>Without <see cref="HttpClient"/>, which throws the exception: how much that allocates depends on who catches it.</summary>
    [Fact]
    public void A_rejection_allocates_as_many_bytes_as_yesterday()
    {
        const int Calls = 1000;
        var services = new ServiceCollection();
        services.AddResilientHttpClient("chain").RemoveAllLoggers();
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<ICircuits>().Isolate("chain", Uri);
        using var chain = new HttpMessageInvoker(
            provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("chain"), disposeHandler: false);
        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();

        Round();

        // The request is in it, and what reading the exception of a task allocates.
        ((GC.GetAllocatedBytesForCurrentThread() - before) / (double)Calls).ShouldBe(1256, tolerance: 1);

        void Round()
        {
            for (int i = 0; i < Calls; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, Uri);
                var rejected = chain.SendAsync(request, CancellationToken.None);
                rejected.Exception!.InnerException.ShouldBeOfType<CircuitOpenException>();
            }
        }
    }

    private static double Added(string scenario, int inFlight)
    {
        var services = new ServiceCollection();
        int[] statuses = scenario is "503, then 200" ? [503, 200] : [200];
        services.ConfigureHttpClientDefaults(client => client.RemoveAllLoggers().SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => new Stub(scenario is not "GET, answered at once", inFlight, statuses)));
        services.AddHttpClient("bare");
        services.AddResilientHttpClient("chain", options =>
        {
            (options.Retry.Delay, options.Retry.Budget.RetryRatio, options.CircuitBreaker.FailureRatio) = (TimeSpan.Zero, null, null);
        });
        using var provider = services.BuildServiceProvider();
        return PerCall("chain", times: 1) - PerCall("bare", times: statuses.Length);

        double PerCall(string name, int times)
        {
            const int Rounds = 20;
            using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient(name);
            if (scenario is "GET with 3 headers")
            {
                client.DefaultRequestHeaders.Accept.Add(new("application/json"));
                client.DefaultRequestHeaders.UserAgent.Add(new("InvoiceSender", "1.0"));
                client.DefaultRequestHeaders.Authorization = new("Bearer", "0123456789abcdef");
            }

            var calls = new (HttpRequestMessage Request, Task<HttpResponseMessage> Response)[inFlight];
            for (int i = 0; i < Rounds; i++)
                Round();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Rounds; i++)
                Round();
            return (GC.GetAllocatedBytesForCurrentThread() - before) * times / (double)(Rounds * inFlight);

            void Round()
            {
                for (int i = 0; i < inFlight; i++)
                {
                    var request = RequestOf(scenario, name);
                    calls[i] = (request, client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None));
                }

                Stub.LetArrive();
                foreach (var (request, response) in calls)
                {
                    response.IsCompletedSuccessfully.ShouldBeTrue();
                    response.Result.Dispose();
                    request.Dispose();
                }
            }
        }
    }

    private static HttpRequestMessage RequestOf(string scenario, string client)
    {
        var request = new HttpRequestMessage(scenario is "POST with a key" ? HttpMethod.Post : HttpMethod.Get, Uri);
        if (scenario is "GET for a tenant" && client is "chain")
            request.WithTenant("comp1");
        if (scenario is "POST with a key")
        {
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
            // The chain makes one of the same length.
            if (client is "bare")
                request.Headers.TryAddWithoutValidation("Idempotency-Key", Guid.NewGuid().ToString());
        }

        return request;
    }

    private sealed class Stub(bool suspends, int inFlight, params int[] statuses) : HttpMessageHandler
    {
        private static readonly Queue<TaskCompletionSource> Arrivals = new(200);

        private int _sent;

        // Each continuation runs on this thread.
        internal static void LetArrive()
        {
            while (Arrivals.TryDequeue(out var arrival))
                arrival.SetResult();
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (suspends)
            {
                using var registration = cancellationToken.UnsafeRegister(static _ => { }, null);
                var arrival = new TaskCompletionSource();
                Arrivals.Enqueue(arrival);
                await arrival.Task;
            }

            return new((HttpStatusCode)statuses[_sent++ / inFlight % statuses.Length]) { Content = new ByteArrayContent([]) };
        }
    }
}
