namespace HttpResilience.Simulation;

internal enum PaymentEnd
{
    Confirmed,

    /// <summary>The call failed.</summary>
    Refused,

    /// <summary>The call ended after the confirmation timeout.</summary>
    TooLate,

    /// <summary>No worker was free in time.</summary>
    NoWorker,
}

/// <summary>The results of the payments of one day.</summary>
internal sealed class DrillResult
{
    private readonly int[] _millisecondsOfDay = new int[(int)PaymentGateway.ConfirmationTimeout.TotalMilliseconds + 1];
    private readonly int[] _millisecondsOfOutage = new int[(int)PaymentGateway.ConfirmationTimeout.TotalMilliseconds + 1];
    private readonly List<TimeSpan>[] _dragged = [.. Enumerable.Range(0, FaultPlan.Apis).Select(_ => new List<TimeSpan>())];
    private readonly int[] _ends = new int[Enum.GetValues<PaymentEnd>().Length];
    private long _linesOfRetried;
    private long _retried;
    private long _linesOfOne;

    internal int Payments => _ends.Sum();

    internal int Failed => Payments - Of(PaymentEnd.Confirmed);

    /// <summary>Failed payments to the silent API while it was silent, which no client can prevent.</summary>
    internal int FailedForNoAnswer { get; private set; }

    internal int FailedElsewhere => Failed - FailedForNoAnswer;

    /// <summary>Failed payments to a responding API because no worker was free.</summary>
    internal int Dragged => _dragged.Sum(d => d.Count);

    /// <summary>How often this happened to an API; occurrences less than a minute apart count once.</summary>
    internal int Cascades => _dragged.Sum(d => d.Order().Aggregate((Count: 0, Last: TimeSpan.MinValue),
        (before, at) =>
            (before.Count + (before.Last == TimeSpan.MinValue || at - before.Last > TimeSpan.FromMinutes(1) ? 1 : 0), at)).Count);

    internal double P95OfDay => Percentile(_millisecondsOfDay, 0.95);

    internal double P95OfOutage => Percentile(_millisecondsOfOutage, 0.95);

    internal long Requests { get; set; }

    internal long LogLines { get; set; }

    /// <summary>
    /// Log lines of payments with several requests beyond those of a payment with one: the line of the call itself is not about retries.
    /// </summary>
    internal long LinesAboutRetries => Math.Max(0, _linesOfRetried - _retried * _linesOfOne);

    /// <summary>Avoidable failures of payments whose first request was one that an API never answers.</summary>
    internal int FailedForLostRequest { get; private set; }

    /// <summary>Payments that were confirmed after the confirmation timeout: by a late answer, or by the replay of a dead letter.</summary>
    internal int ConfirmedLater { get; set; }

    internal int NeverConfirmed => Failed - ConfirmedLater;

    internal int Of(PaymentEnd end) => _ends[(int)end];

    /// <summary>Counts the log lines of a payment whose call has ended.</summary>
    internal void CountLines(Payment payment, bool isConfirmed)
    {
        if (payment.Requests > 1)
        {
            _retried++;
            _linesOfRetried += payment.LogLines;
        }
        else if (payment.Requests == 1 && isConfirmed && _linesOfOne == 0)
        {
            _linesOfOne = payment.LogLines;
        }
    }

    internal void Count(Payment payment, PaymentEnd end, TimeSpan took)
    {
        _ends[(int)end]++;
        int milliseconds = (int)Math.Min(took.TotalMilliseconds, PaymentGateway.ConfirmationTimeout.TotalMilliseconds);
        _millisecondsOfDay[milliseconds]++;
        if (payment.ArrivedAt >= FaultPlan.OutageFrom && payment.ArrivedAt < FaultPlan.OutageFrom + FaultPlan.OutageLength)
            _millisecondsOfOutage[milliseconds]++;
        if (end is PaymentEnd.Confirmed)
            return;

        bool isSilent = FaultPlan.IsSilent(payment.Api, payment.ArrivedAt);
        if (isSilent)
            FailedForNoAnswer++;
        else if (end is PaymentEnd.NoWorker)
            _dragged[payment.Api].Add(payment.ArrivedAt);
        else if (payment.IsFirstLost)
            FailedForLostRequest++;
    }

    private static int Percentile(int[] histogram, double part)
    {
        double left = histogram.Sum() * part;
        int milliseconds = 0;
        while (left > histogram[milliseconds])
            left -= histogram[milliseconds++];
        return milliseconds;
    }
}
