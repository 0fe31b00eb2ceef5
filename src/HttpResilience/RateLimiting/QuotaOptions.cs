namespace HttpResilience;

/// <summary>
/// What the client does with the quotas that an API reports. Section <c>Quota</c>. Without a preset or fields, only the standard field
/// <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers) is read.
/// </summary>
public sealed class QuotaOptions
{
    /// <summary>The API whose quota fields are read besides <c>RateLimit</c>. Default null: none.</summary>
    public Api? Preset { get; set; }

    /// <summary>
    /// What follows a response, other than 429 and 503, that reports a quota as used up. Default <see cref="SuccessAction.Pause"/>. 429
    /// and 503 are subject to <c>Retry:ShouldRetryAfterHeader</c>.
    /// </summary>
    public SuccessAction OnSuccess { get; set; }

    /// <summary>
    /// Whether attempts are spread over what is left of a quota until its reset, so that none is rejected. An attempt whose turn would come
    /// after the deadline of its call fails at once with <see cref="RateLimitedException"/>. Default false.
    /// </summary>
    public bool Pace { get; set; }

    /// <summary>The quota fields of an API for which there is no preset. At most 16; default none.</summary>
    public IList<Field> Fields { get; set; } = [];

    internal static OptionKeys<QuotaOptions> Keys => new OptionKeys<QuotaOptions>()
        .NearestChoice(nameof(Preset), o => o.Preset, (o, v) => o.Preset = v)
        .Choice(nameof(OnSuccess), o => o.OnSuccess, (o, v) => o.OnSuccess = v)
        .Boolean(nameof(Pace), o => o.Pace, (o, v) => o.Pace = v)
        .Sections(nameof(Fields), o => o.Fields, (o, v) => o.Fields = v, Field.Keys, most: 16);

    /// <summary>An API whose quota fields are known; docs/quotas.md has them with their sources.</summary>
    public enum Api
    {
        /// <summary>GitHub's REST API: <c>x-ratelimit-*</c>, per <c>x-ratelimit-resource</c>.</summary>
        GitHub,

        /// <summary>Jira and Confluence Cloud: <c>X-RateLimit-*</c> and <c>RateLimit</c>.</summary>
        Jira,

        /// <summary>Shopify's REST Admin API: <c>X-Shopify-Shop-Api-Call-Limit</c>.</summary>
        Shopify,

        /// <summary>OpenAI: <c>x-ratelimit-*-requests</c> and <c>x-ratelimit-*-tokens</c>.</summary>
        OpenAI,

        /// <summary>Anthropic: <c>anthropic-ratelimit-*</c>, of requests and of tokens.</summary>
        Anthropic,

        /// <summary>AWS: no quota fields; a throttled request is recognised by its error type.</summary>
        AWS,

        /// <summary>Azure Resource Manager: <c>x-ms-ratelimit-remaining-*</c>.</summary>
        Azure,

        /// <summary>HubSpot: <c>X-HubSpot-RateLimit-*</c>.</summary>
        HubSpot,

        /// <summary>Xero: <c>X-MinLimit-Remaining</c>, <c>X-DayLimit-Remaining</c>, <c>X-AppMinLimit-Remaining</c>.</summary>
        Xero,

        /// <summary>Stripe: no quota fields; <c>Stripe-Rate-Limited-Reason</c> on a 429.</summary>
        Stripe,
    }

    /// <summary>What follows a response, other than 429 and 503, that reports a quota as used up.</summary>
    public enum SuccessAction
    {
        /// <summary>Calls that the quota applies to wait until its reset, or fail at once when that is after their deadline.</summary>
        Pause,

        /// <summary>Nothing.</summary>
        Off,
    }

    /// <summary>The notation of a quota's reset.</summary>
    public enum ResetNotation
    {
        /// <summary>Seconds from now.</summary>
        Seconds,

        /// <summary>Milliseconds from now.</summary>
        Milliseconds,

        /// <summary>Seconds since 1970.</summary>
        EpochSeconds,

        /// <summary>Milliseconds since 1970.</summary>
        EpochMilliseconds,

        /// <summary>A date of ISO 8601 or RFC 3339, or an HTTP-date.</summary>
        Date,

        /// <summary>A duration as Go writes it, such as <c>6m0s</c> or <c>120ms</c>.</summary>
        GoDuration,
    }

    /// <summary>The names of the fields that report one quota. Section <c>Quota:Fields:&lt;index&gt;</c>.</summary>
    public sealed class Field
    {
        /// <summary>The field of the units that are left, or of used and limit: <c>32/40</c>. Required.</summary>
        public string? Remaining { get; set; }

        /// <summary>The field of the limit, or the limit itself, such as <c>60</c>. Default null: unknown.</summary>
        public string? Limit { get; set; }

        /// <summary>The field of the reset. Default null: there is none, and <see cref="Window"/> applies.</summary>
        public string? Reset { get; set; }

        /// <summary>
        /// The notation of the reset. Default null: recognised. A value in another notation than this one is recognised too.
        /// </summary>
        public ResetNotation? Notation { get; set; }

        /// <summary>
        /// The field whose value names the part of the API that the quota belongs to, such as <c>x-ratelimit-resource</c>. Default null: it
        /// belongs to the tenant of the call, or to the whole host.
        /// </summary>
        public string? Part { get; set; }

        /// <summary>
        /// How long a window is. Needed where the API has no field for the reset; a reset up to this is believed even when it is longer
        /// than <c>Retry:MaxRetryAfter</c>. 1 ms to 31 days, or null; default null.
        /// </summary>
        public TimeSpan? Window { get; set; }

        /// <summary>
        /// Whether used units come back evenly (a token bucket, a leaky bucket) instead of all at the reset. <see cref="Window"/> is then
        /// the time in which an empty bucket fills. Default false.
        /// </summary>
        public bool Refills { get; set; }

        internal static OptionKeys<Field> Keys => new OptionKeys<Field>()
            .FieldName(nameof(Remaining), o => o.Remaining, (o, v) => o.Remaining = v, isRequired: true)
            .FieldName(nameof(Limit), o => o.Limit, (o, v) => o.Limit = v)
            .FieldName(nameof(Reset), o => o.Reset, (o, v) => o.Reset = v)
            .OptionalChoice(nameof(Notation), o => o.Notation, (o, v) => o.Notation = v)
            .FieldName(nameof(Part), o => o.Part, (o, v) => o.Part = v)
            .OptionalDuration(
                nameof(Window), o => o.Window, (o, v) => o.Window = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(31))
            .Boolean(nameof(Refills), o => o.Refills, (o, v) => o.Refills = v);
    }
}
