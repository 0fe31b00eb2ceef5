using System.Diagnostics;
using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// The store is full or gone when a call fails, over real sockets: the caller gets its own failure in time, and the loss is logged.
/// </summary>
public sealed class StorageGoneTests(PostgreSqlServer server) : IClassFixture<PostgreSqlServer>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_missing_directory_loses_the_letter_loudly()
    {
        await using var database = new SqliteTestDatabase();
        string directory = Path.Combine(database.Directory, "mounted");
        Directory.CreateDirectory(directory);
        await LosesAsync("gone directory",
            services => services.AddHttpResilienceStorage(s => s.UseSqlite($"Data Source={Path.Combine(directory, "letters.db")}")),
            async host =>
            {
                await host.Services.GetRequiredService<IDeadLetterReview>().CountAsync(Stop);
                Directory.Delete(directory, recursive: true);
            }, "Create it, or choose another path");
    }

    [Fact]
    public async Task A_server_that_is_down_loses_the_letter_loudly()
    {
        await using var database = await server.CreateDatabaseAsync();
        try
        {
            await LosesAsync("server down", services => database.AddTo(services), async host =>
            {
                await host.Services.GetRequiredService<IDeadLetterReview>().CountAsync(Stop);
                await server.StopAsync();
            }, "check that the server runs");
        }
        finally
        {
            await server.StartAsync();
        }
    }

    [Fact]
    public async Task A_full_disk_loses_the_letter_loudly()
    {
        await using var database = new SqliteTestDatabase();
        var file = SqliteDatabase.From(database.ConnectionString, SqliteSchema.Current);
        await using var writer = new SqliteWriter(file, NullLogger.Instance);
        await using var readers = new SqliteReaders(file);
        var store = new SqliteDeadLetterStore(writer, readers, new(Letters.Application), TimeProvider.System, NullLogger.Instance);
        await LosesAsync("full disk", services => database.AddTo(services.AddSingleton<IDeadLetterStore>(store)), async _ =>
            await writer.LookAsync(s => s.Execute($"PRAGMA max_page_count = {s.Scalar<long>("PRAGMA page_count")}"), Stop), null,
            "is full: free disk space");
    }

    private static async Task LosesAsync(
        string client, Action<IServiceCollection> addStorage, Func<IHost, Task> trouble, string? readsSay, string? keepingSays = null)
    {
        await using var api = await FaultServer.StartAsync(new FaultScript().Status(503), cancellationToken: Stop);
        using var lost = new LostLetters(client);
        using var log = new LogCollector();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log).AddProvider(new Causes(out var causes));
        addStorage(builder.Services);
        builder.Services.AddResilientHttpClient(client, options =>
        {
            options.BaseAddress = api.Uri;
            options.DeadLetter.Enabled = true;
            options.Retry.MaxRetryAttempts = 1;
            options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        });
        using var host = builder.Build();
        await host.StartAsync(Stop);
        await trouble(host);

        long began = Stopwatch.GetTimestamp();
        using var http = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(client);
        using var request = new HttpRequestMessage(HttpMethod.Post, "invoices");
        request.Content = new StringContent("the body, " + new string('x', 100_000));
        using var response = await http.SendAsync(request.WithIdempotencyKey("comp1:1").WithTenant("comp1").WithTag("rowNumber", 5), Stop);
        var took = Stopwatch.GetElapsedTime(began);

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.GetHttpCall()!.DeadLetterId.ShouldBeNull();
        took.ShouldBeLessThan(TimeSpan.FromSeconds(20));
        // Besides, a database that was deleted is reported.
        var critical = log.Lines.Where(l => l.Level is LogLevel.Critical && l.EventId != 1).ShouldHaveSingleItem();
        critical.Text.ShouldBe(
            $"{client} POST {api.Uri.GetLeftPart(UriPartial.Authority)}/invoices: dead letter could not be stored; "
                + $"resubmit it from the source. Key comp1:1, tenant comp1, rowNumber=5. Transient 503 Service Unavailable");
        causes().ShouldContain(keepingSays ?? readsSay!);
        lost.Count.ShouldBe(1);
        if (readsSay is not null)
        {
            var review = host.Services.GetRequiredService<IDeadLetterReview>();
            (await Should.ThrowAsync<HttpResilienceStorageException>(() => review.ListAsync(new(), Stop))).Message.ShouldContain(readsSay);
            (await Should.ThrowAsync<HttpResilienceStorageException>(() => review.FindAsync(Guid.NewGuid(), Stop))).Message
                .ShouldContain(readsSay);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{client}: the call took {took.TotalSeconds:0.00} s");
        await host.StopAsync(Stop);
    }

    /// <summary>The exceptions of critical log events.</summary>
    private sealed class Causes : ILoggerProvider, ILogger
    {
        private string _text = "";

        internal Causes(out Func<string> text) => text = () => _text;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is LogLevel.Critical;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel is LogLevel.Critical)
                _text += exception?.Message;
        }

        public void Dispose()
        {
        }
    }
}
