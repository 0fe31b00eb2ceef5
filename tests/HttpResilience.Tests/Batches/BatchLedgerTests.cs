namespace HttpResilience.Tests.Batches;

/// <summary>The records that have been processed.</summary>
public sealed class BatchLedgerTests(ITestOutputHelper output)
{
    [Fact]
    public void Records_in_order_advance_the_position()
    {
        var ledger = new BatchLedger(0, []);

        ledger.Add(0);
        ledger.Add(1);

        (ledger.Position, ledger.Done.Count, ledger.Has(1), ledger.Has(2)).ShouldBe((2, 0, true, false));
    }

    [Fact]
    public void Records_after_a_gap_are_ranges_that_merge_when_the_gap_is_filled()
    {
        var ledger = new BatchLedger(10, [new(12, 14)]);

        ledger.Add(16);
        ledger.Add(14);
        ledger.Done.ShouldBe([new(12, 15), new(16, 17)]);
        ledger.Add(15);
        ledger.Done.ShouldBe([new(12, 17)]);
        ledger.Add(11);
        ledger.Done.ShouldBe([new(11, 17)]);
        ledger.Add(10);

        (ledger.Position, ledger.Done.Count).ShouldBe((17, 0));
    }

    [Fact]
    public void The_ledger_agrees_with_a_set_for_any_order_of_records()
    {
        const int Seed = 20261122;
        output.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        for (int round = 0; round < 300; round++)
        {
            int start = random.Next(5);
            var ledger = new BatchLedger(start, []);
            var model = Enumerable.Range(0, start).Select(i => (long)i).ToHashSet();
            for (int step = 0; step < 120; step++)
            {
                long index = random.Next(80);
                ledger.Add(index);
                model.Add(index);
                for (long i = 0; i < 90; i++)
                    ledger.Has(i).ShouldBe(model.Contains(i), $"round {round}, step {step}, record {i}");
            }

            long position = Enumerable.Range(0, 200).First(i => !model.Contains(i));
            ledger.Position.ShouldBe(position);
            var done = ledger.Done;
            done.SelectMany(r => Enumerable.Range((int)r.From, (int)(r.To - r.From))).Select(i => (long)i).ShouldBe(
                model.Where(i => i > position).Order());
            done.Zip(done.Skip(1)).ShouldAllBe(pair => pair.First.To < pair.Second.From);
            ledger = new(ledger.Position, done);
            ledger.Has(79).ShouldBe(model.Contains(79));
        }
    }
}
