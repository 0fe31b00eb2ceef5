using HttpResilience.Benchmarks;

const string Help = """
    Measurements of the chain, each a command.

    usage: dotnet run -c Release --project tests/HttpResilience.Benchmarks -- command [options]

      cost     what a call costs beside a bare factory client, a handler with Polly.Core's own pipeline, Microsoft's standard handler and
               Refit's retry handler: CPU time and bytes, as one table. About 10 minutes. Progress on stderr
               --rounds N      how often each client is measured (long rounds: less often); the figures are medians. Default: 80
               --quick         10 rounds
               --only TEXT     only the scenarios that have this in their name, such as 'in flight'
               --plot FILE     also draws the added time, such as docs/cost.svg
      allocations
               what an asynchronous GET allocates, by type, with a bare client and with the chain; sampled, within some percent. Linux
      outage   100 clients and a host that is down for 30 s, in virtual time: a table and a plot of the requests to the host
               --output FILE   the plot. Default: docs/outage.svg
      shapes   15 ways in which a host fails, at 3 loads, in virtual time: naive retries, Microsoft's standard handler, Polly alone,
               Refit's retry handler and the chain in one table. About 7 minutes. Progress on stderr
               --only TEXT     only the shapes that have this in their name, such as 'random'
               --client TEXT   only the clients that have this in their name, such as 'as it comes'
               --with adaptive two circuits that open in part, too
               --plot FILE     also draws an outage of 5 s, such as docs/circuit.svg
      quotas   10,000 calls to each of ten scripted APIs that keep their documented limits, in virtual time, with Quota:Pace and without:
               a table. Progress on stderr
               --only TEXT     only the APIs that have this in their name, such as 'GitHub'
               --plot FILE     also draws the calls that the first of them grants, such as docs/quotas.svg
      goals    the aims of the circuit, in shapes and in the drill, each with its figure. About 15 minutes
      drill    a payment gateway during an outage, 3 million calls to 3 APIs, in virtual time: naive retries, Microsoft's standard handler,
               the chain, and the chain with dead letters. About 15 minutes; the process has one thread in its pool from then on
      learned  reads with hedging off, after 500 ms, and after the delay that it learns, for four shapes of latency, in virtual time: a
               table. The process has one thread in its pool from then on
      concurrency
               an API whose capacity is halved for 60 s, and six with which nothing is wrong, in virtual time: without a limit of
               concurrency and with Concurrency:Mode: Adaptive, as one table with the aims; 1 when one is missed. About 10 minutes
               --plot FILE     also draws the halved API, such as docs/concurrency.svg
      fallback an API that is down for 60 s, over real sockets: reads of cached resources, with a bare client and with Fallback
      alerts   the time and bytes that the error budget and alerts add to a call
      comparison
               Microsoft.Extensions.Http.Resilience, Polly alone and Refit's retry handler beside the chain, as a page with plots: points
               over real sockets (3 minutes), what a call costs (10 minutes, on a quiet machine), and shapes in virtual time (5 minutes)
               --only PART     only 'points', 'cost' or 'shapes'; the other parts of the page stay as they are
               --output FILE   the page, which has the marks of the parts; the plots are beside it. Default: docs/comparison.md
               --quick, --rounds N
                               for the cost, as for 'cost'
      bodies   the time and bytes that a recorded request body adds to a call, beside a body that is a value
      soak     2 threads against a server with every fault, over real sockets: counts leaked connections, responses, timers, memory
               --seconds N     the duration. Default: 60
      storage  durable stores: letters stored per second, and the cost of a claim in a store of many letters
               --letters N     the number of letters. Default: 1000000
      groups   letters by cause, the letters of one group and a search in a store of many letters
               --letters N     the number of letters. Default: 1000000
      health   a health check and a count beside a claim in a store of many letters
               --letters N     the number of letters. Default: 1000000
      drain    dead letters replayed per second, compared with the same requests sent from memory
               --letters N     the number of letters. Default: 50000
               --only NAME     only the store whose name begins so

      --seed N   for outage, shapes, quotas, goals, drill, learned, concurrency, comparison, fallback and soak. The same seed gives the
                 same run in virtual time. Default: 1
      --seeds N  for shapes, goals, drill, learned, concurrency and comparison: this many seeds, from that one on; the figures are means.
                 Default: 1 for shapes, 3 for comparison, else 10
    """;

if (args is not [var command, ..] || args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(Help);
    return args is [] ? 2 : 0;
}

try
{
    return await Commands.Find(command)(CommandOptions.Parse(args.AsSpan(1)));
}
catch (FormatException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
