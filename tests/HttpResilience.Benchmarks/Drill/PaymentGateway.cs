namespace HttpResilience.Simulation;

/// <summary>
/// Makes one call for each payment with a bounded number of workers; payments wait for a free worker. A payment that is not confirmed after
/// <see cref="ConfirmationTimeout"/> has failed, while its call may still hold a worker.
/// </summary>
/// <param name="payAsync">Makes the call and returns whether it was confirmed.</param>
internal sealed class PaymentGateway(VirtualTime time, DrillResult result, Func<Payment, Task<bool>> payAsync)
{
    internal const int Workers = 200;
    internal const int PaymentsPerDay = 3_000_000;

    /// <summary>The amplitude of the daily load curve as a fraction of the mean: highest at 14:00, lowest at 02:00.</summary>
    private const double Swing = 0.8;

    private readonly Queue<Payment> _waiting = new();
    private int _busy;

    internal static TimeSpan ConfirmationTimeout { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Runs one day of payments that arrive at random times.</summary>
    internal void Open(int seed)
    {
        var random = new Random(seed);
        double mean = PaymentsPerDay / FaultPlan.Day.TotalSeconds;
        double most = mean * (1 + Swing);
        TimeSpan at = TimeSpan.Zero;
        int number = 0;
        Next();

        void Next()
        {
            do
                at += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / most);
            while (random.NextDouble() * most > mean * (1 + Swing * Math.Cos(2 * Math.PI * (at.TotalHours - 14) / 24)));
            if (at >= FaultPlan.Day)
                return;

            var payment = new Payment(number++, random.Next(FaultPlan.Apis), at);
            time.At(at, () =>
            {
                Take(payment);
                Next();
            });
        }
    }

    private void Take(Payment payment)
    {
        if (_busy < Workers)
            Begin(payment);
        else
            _waiting.Enqueue(payment);
    }

    private void Begin(Payment payment)
    {
        _busy++;
        var work = WorkAsync(payment);
        // Rethrows an exception of the simulation itself.
        if (work.IsFaulted)
            work.GetAwaiter().GetResult();
    }

    private async Task WorkAsync(Payment payment)
    {
        bool isConfirmed = await payAsync(payment).ConfigureAwait(false);
        TimeSpan took = time.Elapsed - payment.ArrivedAt;
        if (isConfirmed && took > ConfirmationTimeout)
            result.ConfirmedLater++;
        result.Count(
            payment, took > ConfirmationTimeout ? PaymentEnd.TooLate : isConfirmed ? PaymentEnd.Confirmed : PaymentEnd.Refused, took);
        _busy--;
        while (_busy < Workers && _waiting.TryDequeue(out var next))
        {
            if (time.Elapsed - next.ArrivedAt < ConfirmationTimeout)
                Begin(next);
            else
                result.Count(next, PaymentEnd.NoWorker, ConfirmationTimeout);
        }
    }
}
