using System.Globalization;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Prints the runs side by side, those with keys of the application and those without in a table each.</summary>
internal static class ComparisonTable
{
    public static void Write(IAnsiConsole console, ComparisonReport report)
    {
        foreach (var runs in report.Runs.GroupBy(run => run.Keys)) Write(console, report.Seed, runs.Key, [.. runs]);
        if (report.Runs is [.., var last]) WriteRows(console, last);
        foreach (var run in report.Runs.Where(run => run.StoppedBy is not null))
            console.WriteLine($"{run.Client.Title} stopped early because every invoice would fail in the same way: {run.StoppedBy}");
        if (report.Interrupted) console.WriteLine("Interrupted; the results are incomplete.");
    }

    private static void Write(IAnsiConsole console, int? seed, InvoiceKeys keys, IReadOnlyList<RunReport> runs)
    {
        var table = new Table().AddColumn(seed is null ? "" : $"seed {seed}");
        if (runs.Count > 1) table.Title = new(keys.Sentence);
        // Each word on a line of its own, so that the table fits into 80 columns.
        foreach (var run in runs) table.AddColumn(new TableColumn(run.Client.Title.Replace(' ', '\n')).RightAligned());

        Add("invoices", run => run.Invoices);
        Add("accepted", run => run.Accepted);
        Add("rejected as bad data", run => run.BadData.Count);
        Add("failed", run => run.Failed.Count);
        if (runs.Any(run => run.NotFinished > 0)) Add("not finished", run => run.NotFinished);
        AddServer("lost (counted at the server)", server => server.Lost);
        AddServer("duplicated (at the server)", server => server.Duplicated);
        AddServer("failed, yet stored", server => server.StoredButFailed);
        table.AddEmptyRow();
        Add("attempts", run => run.Attempts);
        AddServer("requests the server saw", server => server.Requests);
        AddServer("requests during the outage", server => server.RequestsDuringOutage);
        Add("log lines, Information and up", run => run.LogLines);
        AddText("ms per invoice, p50 / p95",
            run => string.Create(CultureInfo.InvariantCulture, $"{run.P50Milliseconds:F0} / {run.P95Milliseconds:F0}"));
        AddText("elapsed", run => string.Create(CultureInfo.InvariantCulture, $"{run.ElapsedSeconds:F1} s"));
        AddText("error budget burnt", run => string.Create(CultureInfo.InvariantCulture, $"{run.ErrorBudget.Burn * 100:F0} %"));

        if (runs is [{ Server.Faults: var faults }, ..])
        {
            table.AddEmptyRow();
            foreach (var fault in faults.Keys) AddServer($"API: {fault}", server => server.Faults[fault]);
        }

        console.Write(table);

        void Add(string label, Func<RunReport, int> value) => AddText(label, run => value(run).ToString(CultureInfo.InvariantCulture));

        void AddServer(string label, Func<ServerReport, int> value)
        {
            if (runs.All(run => run.Server is not null)) Add(label, run => value(run.Server!));
        }

        void AddText(string label, Func<RunReport, string> value) => table.AddRow([label, .. runs.Select(value)]);
    }

    private static void WriteRows(IAnsiConsole console, RunReport run)
    {
        RowTable.Write(console, "Rejected as bad data", run.BadData);
        if (run.Client is ClientKind.Resilient) RowTable.Write(console, "Failed", run.Failed);
    }
}
