namespace HttpResilience.Operations;

/// <summary>Marks the name under which a health check was added to the container.</summary>
internal sealed record HealthCheckName(string Name);
