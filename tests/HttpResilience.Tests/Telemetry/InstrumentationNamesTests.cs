using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace HttpResilience.Tests.Telemetry;

/// <summary>The package for OpenTelemetry knows meters and activity sources by name only: those that the library creates.</summary>
public sealed class InstrumentationNamesTests
{
    [Fact]
    public async Task Every_meter_of_the_library_is_collected_and_no_other()
    {
        var created = new ConcurrentDictionary<string, bool>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (i, _) => created.TryAdd(i.Meter.Name, true);
        await MakeAllPartsAsync(listener.Start);

        var meters = new Meters();
        meters.AddHttpResilienceInstrumentation().ShouldBe(meters);

        meters.Names.ShouldBe(created.Keys.Where(IsOurs));
    }

    [Fact]
    public async Task Every_activity_source_of_the_library_is_collected_and_no_other()
    {
        var created = new ConcurrentDictionary<string, bool>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source =>
            {
                created.TryAdd(source.Name, true);
                return false;
            },
        };
        await MakeAllPartsAsync(() => ActivitySource.AddActivityListener(listener));

        var sources = new Sources();
        sources.AddHttpResilienceInstrumentation().ShouldBe(sources);

        sources.Names.ShouldBe(created.Keys.Where(IsOurs));
    }

    // A call with two attempts, in a container with everything that measures or traces something.
    private static async Task MakeAllPartsAsync(Action listen)
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceStorage(storage => storage.UseInMemory())
            .AddDeadLetterReplay().AddHttpResilienceOperations());
        await using var services = chain.Services;
        chain.Server.Script(Replies.Status(503), Replies.Status(200));
        (await chain.PostAsync(async: true)).Dispose();
        chain.Services.GetRequiredService<DeadLetterMeter>().ShouldNotBeNull();
        chain.Services.GetRequiredService<IErrorBudgets>().ShouldNotBeNull();
        listen();
    }

    private static bool IsOurs(string name) => name.StartsWith("HttpResilience", StringComparison.Ordinal);

    private sealed class Meters : MeterProviderBuilder
    {
        internal List<string> Names { get; } = [];

        public override MeterProviderBuilder AddMeter(params string[] names)
        {
            Names.AddRange(names);
            return this;
        }

        public override MeterProviderBuilder AddInstrumentation<T>(Func<T> instrumentationFactory) => throw new NotSupportedException();
    }

    private sealed class Sources : TracerProviderBuilder
    {
        internal List<string> Names { get; } = [];

        public override TracerProviderBuilder AddSource(params string[] names)
        {
            Names.AddRange(names);
            return this;
        }

        public override TracerProviderBuilder AddInstrumentation<T>(Func<T> instrumentationFactory) => throw new NotSupportedException();

        public override TracerProviderBuilder AddLegacySource(string operationName) => throw new NotSupportedException();
    }
}
