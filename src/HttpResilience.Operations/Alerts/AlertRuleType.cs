namespace HttpResilience.Operations;

/// <summary>The types of alert rules.</summary>
public enum AlertRuleType
{
    /// <summary>
    /// So many calls to a host failed in a row (<see cref="AlertRuleOptions.Threshold"/>, default 5). An answer that is about the request
    /// alone (400, 404, 409, 422) ends the row as a success does: the host works.
    /// </summary>
    ConsecutiveFailures,

    /// <summary>
    /// So many calls to a host failed in <see cref="AlertRuleOptions.Window"/> with a server error or without a connection. Default 5 in
    /// 5 minutes.
    /// </summary>
    FailuresInWindow,

    /// <summary>
    /// One tenant's calls to a host have failed so many times in <see cref="AlertRuleOptions.Window"/> and never succeeded, while most
    /// others, at least two, succeed. Default 5 in 5 minutes.
    /// </summary>
    TenantFailing,

    /// <summary>
    /// A failure class has so many times the share of calls that it had under other versions, with at least 5 failures. Default 3. Needs
    /// durable storage, which knows what other versions have counted.
    /// </summary>
    ErrorClassSinceDeployment,

    /// <summary>More dead letters than this are pending or wait for a person. Default 100.</summary>
    DeadLetters,

    /// <summary>
    /// So many more dead letters than <see cref="AlertRuleOptions.Window"/> ago, and never fewer since. Default 20 in an hour.
    /// </summary>
    DeadLettersGrowing,

    /// <summary>
    /// The dead letter that has been due the longest has been so for this many times the usual: the median of <see
    /// cref="AlertRuleOptions.Window"/>, at least a minute. Default 2 times that of a day.
    /// </summary>
    ReplayLag,

    /// <summary>
    /// A batch with a name (<c>BatchOptions.Name</c>) has not finished for this many times its usual interval. Default 2.
    /// </summary>
    BatchStalled,

    /// <summary>
    /// The error budget burns this many times as fast as it may, over <see cref="AlertRuleOptions.Window"/> and over a twelfth of it.
    /// Without either set: 14.4 over 1 h (Critical), 6 over 6 h (Critical) and 1 over 3 days (Warning).
    /// </summary>
    ErrorBudgetBurn,

    /// <summary>More than this share of the window's error budget is spent. Default 2, that is 200 %. Repeated after a day.</summary>
    ErrorBudgetSpent,

    /// <summary>A client is paused, by <c>ErrorBudget:PauseAtBurn</c> or by a person: nothing is sent but probes.</summary>
    IntegrationPaused,

    /// <summary>The circuit of a host is open or half open.</summary>
    CircuitOpened,

    /// <summary>
    /// A request that failed for good could not be kept as a dead letter. Over when it has not happened again for <see
    /// cref="AlertRuleOptions.CoolDown"/>.
    /// </summary>
    StorageFailing,
}
