namespace HttpResilience;

/// <summary>The part of a call that learns how long its attempts may take (<c>AttemptTimeout:Learn</c>).</summary>
internal static class LearnedTimeout
{
    private static readonly CallSlot<TimeSpan?> Learned = new();

    extension(HttpCall call)
    {
        /// <summary>The timeout of the present attempt, when it is learned and comes before that of the settings.</summary>
        internal TimeSpan? LearnedAttemptTimeout
        {
            get => call.Slots is null ? null : Learned.Get(call);
            set => Learned.Set(call, value);
        }

        /// <summary>The timestamp at which an attempt is over.</summary>
        internal long AttemptEndFrom(long startedAt, long deadline)
        {
            long end = call.Policy.AttemptEndFrom(startedAt, deadline, call.AttemptTimeout);
            if (!call.Policy.LearnsAttemptTimeout || call.AttemptTimeout is not null)
                return end;
            if (call.Host?.Attempts.For(call).Timeout is not { } learned || startedAt + learned >= end)
            {
                call.LearnedAttemptTimeout = null;
                return end;
            }

            call.LearnedAttemptTimeout = call.Time.GetElapsedTime(0, learned);
            return startedAt + learned;
        }

        /// <summary>
        /// Learns from an attempt that ended. One that timed out counts with the time that it had; other failures are often fast, and say
        /// nothing about answers.
        /// </summary>
        internal void LearnFrom(in AttemptResult result, long startedAt, long endedAt)
        {
            if (result.CircuitOutcome is CircuitOutcome.Success || call.AttemptTimedOut)
                call.Host?.Attempts.For(call).Add(endedAt - startedAt, endedAt);
        }
    }
}
