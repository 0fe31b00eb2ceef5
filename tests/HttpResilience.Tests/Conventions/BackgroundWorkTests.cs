using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HttpResilience.Tests.Conventions;

/// <summary>
/// Work that continues after the call that started it serves other callers too: it starts without the transaction, the activity and the
/// scopes of the first caller (<c>using (AmbientContext.Suppress())</c>).
/// </summary>
public sealed class BackgroundWorkTests
{
    private static readonly string[] Starts =
        ["Task.Run", "Task.Factory.StartNew", "new Timer", "new PeriodicTimer", "new Thread", ".CreateTimer",
        "ThreadPool.QueueUserWorkItem"];

    /// <summary>The work of one call, which ends with it, by file; and what runs in such work.</summary>
    private static readonly Dictionary<string, string> OfOneCall = new()
    {
        ["HttpResilience/Batches/BatchRun.cs"] = "runs the application's action for a record",
        ["HttpResilience/DeadLetters/LetterJobWorker.cs"] = "its timer is made by the service, which started without",
        ["HttpResilience/Calls/CallObservers.cs"] = "the retry of the call waits for it",
        ["HttpResilience/Http/ReplayableContent.cs"] = "writes the caller's content",
        ["HttpResilience/Http/RequestBody.cs"] = "reads the caller's content",
        ["HttpResilience/Idempotency/IdempotencyKeyHandler.cs"] = "reads the caller's content",
        ["HttpResilience/Retry/UserHooks.cs"] = "runs the application's hook",
        ["HttpResilience/Storage/InstanceHeartbeat.cs"] = "its timer is made by the service, which started without",
        ["HttpResilience/Storage/LetterKeyWatch.cs"] = "its timer is made by the service, which started without",
        ["HttpResilience/Storage/ProtectedDeadLetterStore.cs"] = "the change of the letter waits for it",
        ["HttpResilience/Storage/StorageUpkeep.cs"] = "its timer is made by the service, which started without",
        ["HttpResilience/Time/TimerWatch.cs"] = "UnsafeStart",
        ["HttpResilience.Migration/PeerDelegates.cs"] = "the attempt waits for it",
        ["HttpResilience.Operations/Alerts/AlertOutbox.cs: _sink.SendAsync"] = "in the loop of the outbox, which started without",
        ["HttpResilience.Operations/Health/ResilienceHealthCheck.cs"] = "the check waits for it",
        ["HttpResilience.Sqlite/SqliteReaders.cs"] = "the reader waits for it",
        ["Simulation/SimulatedHost.cs"] = "in virtual time",
        ["Simulation/Simulations.cs"] = "joined before it returns",
    };

    [Fact]
    public void Work_that_outlives_its_call_starts_outside_the_ambient_context()
    {
        string root = Path.Combine(Repository.Root, "src");
        var bare = SourceGraph.FilesOf(root).SelectMany(file => BareStarts(File.ReadAllText(file))
            .Select(start => (File: Path.GetRelativePath(root, file), start.Line, start.Text))).ToList();
        var unused = OfOneCall.Keys.Where(entry => !bare.Any(start => IsListed(entry, start.File, start.Text)));

        bare.Where(start => !OfOneCall.Keys.Any(entry => IsListed(entry, start.File, start.Text)))
            .Select(start => $"{start.File}({start.Line}): {start.Text}")
            .ShouldBeEmpty("Start it in 'using (AmbientContext.Suppress())', or name it here with the reason.");
        unused.ShouldBeEmpty("Entries of this test that nothing needs.");
    }

    [Fact]
    public void Every_background_service_is_a_detached_worker() =>
        SourceGraph.FilesOf(Path.Combine(Repository.Root, "src")).Where(file => File.ReadAllText(file).Contains(": BackgroundService"))
            .Select(Path.GetFileName).ShouldBe(["DetachedWorker.cs"]);

    [Theory]
    [InlineData("_work = Task.Run(WorkAsync);", true)]
    [InlineData("if (_work is null) _work = Task.Run(WorkAsync);", true)]
    [InlineData("_work = Task.Factory.StartNew(Work);", true)]
    [InlineData("_timer = time.CreateTimer(Tick, null, due, due);", true)]
    [InlineData("_timer = new Timer(Tick);", true)]
    [InlineData("using (AmbientContext.Suppress()) _work = Task.Run(WorkAsync);", false)]
    [InlineData("using (AmbientContext.Suppress()) { Begin(); _work ??= Task.Run(WorkAsync); }", false)]
    [InlineData("using (Other()) _work = Task.Run(WorkAsync);", true)]
    [InlineData("await WorkAsync();", false)]
    public void A_start_without_it_is_found(string statement, bool isBare) =>
        BareStarts($"class C {{ object M() {{ {statement} }} }}").Any().ShouldBe(isBare);

    private static bool IsListed(string entry, string file, string text) =>
        entry.Split(": ") is [var of, .. var part] && of == file && part.All(p => text.Contains(p, StringComparison.Ordinal));

    private static IEnumerable<(int Line, string Text)> BareStarts(string source) => CSharpSyntaxTree.ParseText(source).GetRoot()
        .DescendantNodes()
        .Where(node => node is ExpressionSyntax and (InvocationExpressionSyntax or BaseObjectCreationExpressionSyntax)
            && Starts.Any(start => IsStart(node.ToString(), start)))
        .Where(node => !node.Ancestors().OfType<UsingStatementSyntax>()
            .Any(around => around.Expression?.ToString() == "AmbientContext.Suppress()"))
        .Select(node => (node.GetLocation().GetLineSpan().StartLinePosition.Line + 1, node.ToString().ReplaceLineEndings(" ")));

    private static bool IsStart(string text, string start)
    {
        int end = text.IndexOf('(', StringComparison.Ordinal);
        return end > 0 && (start[0] == '.' ? text[..end].EndsWith(start, StringComparison.Ordinal) : text[..end] == start);
    }
}
