namespace HttpResilience.Tests.Telemetry;

/// <summary>Who listens to an activity source listens to the whole process: these tests run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    internal const string Name = "Telemetry";
}
