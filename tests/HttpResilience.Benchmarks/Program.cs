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
      --output FILE   also writes the table to this file. Default: BenchmarkDotNet.Artifacts/comparison.md
      --help          this text

    All other options are BenchmarkDotNet's own. The commands:

      outage   100 clients and a host that is down for 30 s, in virtual time: a table and a plot of the requests to the host
               --output FILE   the plot. Default: docs/outage.svg
      shapes   15 ways in which a host fails, at 3 loads, in virtual time: naive retries, Microsoft's standard handler and the chain in one
               table. About 5 minutes. Progress on stderr
               --only TEXT     only the shapes that have this in their name, such as 'random'
               --client TEXT   only the clients that have this in their name, such as 'as it comes'
               --with adaptive two circuits that open in part, too
               --plot FILE     also draws an outage of 5 s, such as docs/circuit.svg
      goals    the aims of the circuit, in shapes and in the drill, each with its figure. About 15 minutes
      drill    a payment gateway during an outage, 3 million calls to 3 APIs, in virtual time: naive retries, Microsoft's standard handler,
               the chain, and the chain with dead letters. About 15 minutes; the process has one thread in its pool from then on
      fallback an API that is down for 60 s, over real sockets: reads of cached resources, with a bare client and with Fallback
      alerts   the time and bytes that the error budget and alerts add to a call
      points   what Microsoft.Extensions.Http.Resilience and the chain do with the same faults, over real sockets: a table for the docs
               --output FILE   the page with the table. Default: docs/compared.md
      bodies   the time and bytes that a recorded request body adds to a call, beside a body that is a value
      soak     2 threads against a server with every fault, over real sockets: counts leaked connections, responses, timers, memory
               --seconds N     the duration. Default: 60
      storage  durable stores: letters stored per second, and the cost of a claim in a store of many letters
               --letters N     the number of letters. Default: 1000000
      health   a health check and a count beside a claim in a store of many letters
               --letters N     the number of letters. Default: 1000000
      drain    dead letters replayed per second, compared with the same requests sent from memory
               --letters N     the number of letters. Default: 50000
               --only NAME     only the store whose name begins so

      --seed N   for outage, shapes, goals, drill, fallback and soak. The same seed gives the same run in virtual time. Default: 1
      --seeds N  for shapes, goals and drill: this many seeds, from that one on; the figures are means. Default: 1 for shapes, else 10
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

// In-process, with short iterations and several passes, so that each client has undisturbed iterations on a busy machine.
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
