using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using HttpResilience.Benchmarks;
using Perfolizer.Horology;

const string Help = """
    Compares the default chain with a bare factory client and with one handler that has Polly.Core's own pipeline
    (total timeout, retry, circuit breaker, attempt timeout), and prints one Markdown table. Takes a few minutes.

    usage: dotnet run -c Release --project tests/HttpResilience.Benchmarks -- [command] [options]

    Without a command, the benchmarks:

      --filter GLOB   only the benchmarks whose full name matches, such as '*CallBenchmarks*'. Default: '*'
      --output FILE   where the table is written too. Default: BenchmarkDotNet.Artifacts/comparison.md
      --help          this text

    All other options are BenchmarkDotNet's own. The commands:

      outage   100 clients and a host that is down for 30 s, in virtual time: a table, and a plot of what the host sees
               --output FILE   the plot. Default: docs/outage.svg
      drill    a payment gateway on a bad day, 3 million calls to 3 APIs, in virtual time: naive retries beside the chain
      fallback an API that is down for 60 s, over real sockets: reads of what was seen before, with a bare client and with the last good responses
      alerts   what the error budget and alerts add to a call: time and bytes
      soak     2 threads against a server with every fault, over real sockets: what is left behind, counted
               --seconds N     how long. Default: 60
      storage  durable stores: letters kept per second, and what a claim costs in a store of many letters
               --letters N     how many. Default: 1000000
      drain    dead letters sent again per second, beside the same requests sent without a store
               --letters N     how many. Default: 5000

      --seed N   of outage, drill, fallback and soak. The same seed gives the same run in virtual time. Default: 1
    """;

List<string> options = [.. args];
if (options.Contains("--help") || options.Contains("-h"))
{
    Console.WriteLine(Help);
    return 0;
}

if (options is [var command, ..] && !command.StartsWith('-'))
{
    try
    {
        return await Commands.Find(command)(CommandOptions.Parse(args.AsSpan(1)));
    }
    catch (FormatException e)
    {
        Console.Error.WriteLine(e.Message);
        return 2;
    }
}

string output = Path.Combine("BenchmarkDotNet.Artifacts", "comparison.md");
int at = options.IndexOf("--output");
if (at >= 0)
{
    if (at + 1 == options.Count)
    {
        Console.Error.WriteLine("--output needs a file name; see --help.");
        return 2;
    }

    output = options[at + 1];
    options.RemoveRange(at, 2);
}

if (!options.Contains("--filter"))
    options.AddRange(["--filter", "*"]);

// In this process, in short iterations and several passes, so that each of the three clients gets its quiet moments on a machine that others use.
const int Passes = 3;
var job = Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance).WithGcForce(false);
var config = new ManualConfig()
    .AddJob(job.WithIterationTime(TimeInterval.FromMilliseconds(30)).WithWarmupCount(10).WithIterationCount(20))
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddLogger(ConsoleLogger.Default);
List<Summary> summaries = [];
for (int pass = 0; pass < Passes; pass++)
    summaries.AddRange(BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. options], config));

string table = ComparisonTable.From(summaries);
Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
await File.WriteAllTextAsync(output, table);
Console.WriteLine();
Console.WriteLine(table);
return summaries.Count > 0 && summaries.TrueForAll(s => s.Reports.All(r => r.Success)) ? 0 : 1;
