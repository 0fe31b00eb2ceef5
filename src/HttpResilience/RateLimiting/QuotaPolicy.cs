namespace HttpResilience;

/// <summary>An immutable snapshot of <see cref="QuotaOptions"/>.</summary>
/// <param name="PausesOnSuccess">A response other than 429 and 503 pauses what its used-up quota belongs to.</param>
/// <param name="Pace">Attempts are spread over what is left.</param>
/// <param name="Reader">The fields that are read besides <c>RateLimit</c>; null when the chain has no stage for quotas.</param>
internal sealed record QuotaPolicy(bool PausesOnSuccess, bool Pace, QuotaReader? Reader)
{
    /// <returns>Null when no quota is read but that of a rejection.</returns>
    internal static QuotaPolicy? From(QuotaOptions options)
    {
        bool hasStage = options.Pace || options.Preset is not null || options.Fields.Count > 0;
        bool pauses = options.OnSuccess is QuotaOptions.SuccessAction.Pause;
        return hasStage || pauses
            ? new(pauses, options.Pace, hasStage ? new QuotaReader(options.Preset is { } preset ? QuotaPresets.All[preset] : null,
                [.. options.Fields.Select(QuotaFields.From)]) : null)
            : null;
    }
}
