using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Storage;

/// <summary>Clients that protect their letters: the start, the chain and the replays.</summary>
public sealed class ProtectionTests : IDisposable
{
    private const string ProtectKey = "HttpResilience:Clients:api:DeadLetter:Protect";

    private readonly TestStorage _store = new();
    private readonly Xor _protector = new();
    private readonly LogCollector _logs = new();
    private readonly FaultScript _server = new(new ManualTimeProvider());
    private readonly DirectoryInfo _ring = Directory.CreateTempSubdirectory("key-ring-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Storage.Dispose();
        _server.Dispose();
        _ring.Delete(recursive: true);
    }

    [Fact]
    public async Task Without_a_protector_the_host_does_not_start_and_names_the_package_and_the_lines()
    {
        using var host = Build(protects: true, services: null);

        (await FailureAsync(host)).ShouldSatisfyAllConditions(
            m => m.ShouldStartWith("HttpResilience:Clients:api:DeadLetter:Protect is 'True', which needs a key ring"),
            m => m.ShouldContain("package HttpResilience.DataProtection"), m => m.ShouldContain("ProtectWithDataProtection()"),
            m => m.ShouldContain("PersistKeysTo…"));
    }

    public static TheoryData<string, Action<IServiceCollection>> Volatile => new()
    {
        { "no place of its own", _ => { } },
        { "no place of its own", s => s.AddDataProtection().SetApplicationName("shop") },
        { "UseEphemeralDataProtectionProvider", s => s.AddDataProtection().UseEphemeralDataProtectionProvider() },
        {
            "InMemoryRepository",
            s => s.AddDataProtection().AddKeyManagementOptions(o => o.XmlRepository = new InMemoryRepository())
        },
    };

    [Theory, MemberData(nameof(Volatile), DisableDiscoveryEnumeration = true)]
    public async Task With_a_key_ring_that_does_not_survive_a_restart_the_host_does_not_start(
        string named, Action<IServiceCollection> services)
    {
        using var host = Build(protects: true, services, storage => storage.ProtectWithDataProtection());

        (await FailureAsync(host)).ShouldSatisfyAllConditions(
            m => m.ShouldStartWith("HttpResilience:Clients:api:DeadLetter:Protect is 'True', and the key ring"),
            m => m.ShouldContain(named), m => m.ShouldContain("PersistKeysToFileSystem(…)"),
            m => m.ShouldContain("SetApplicationName(…)"));
    }

    [Fact]
    public async Task With_keys_in_a_directory_the_host_starts_and_letters_are_protected()
    {
        using var host = Build(
            protects: true, s => s.AddDataProtection().SetApplicationName("shop").PersistKeysToFileSystem(_ring),
            storage => storage.ProtectWithDataProtection());
        await host.StartAsync(Stop);

        await PostAsync(host);

        _store.Letters.ShouldHaveSingleItem().ProtectedWith!.ShouldEndWith("@shop");
        await host.StopAsync(Stop);
    }

    [Theory, InlineData(false, true), InlineData(true, false)]
    public async Task A_client_that_does_not_protect_or_keep_letters_needs_no_key_ring(bool protects, bool keeps)
    {
        using var host = Build(protects, services: null, keeps: keeps);

        await host.StartAsync(Stop);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_reload_that_protects_without_a_key_ring_is_rejected()
    {
        using var host = Build(protects: false, services: null);
        await host.StartAsync(Stop);

        Reload(host, "true");

        await PostAsync(host);
        _logs.Entries.ShouldContain(
            l => l.Level == LogLevel.Error && l.Message.Contains("ProtectWithDataProtection", StringComparison.Ordinal));
        _store.Letters.ShouldHaveSingleItem().ProtectedWith.ShouldBeNull();
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task Protection_that_is_switched_on_and_off_applies_to_new_letters_and_all_are_replayed()
    {
        using var host = Build(protects: true, s => s.AddSingleton<ILetterProtector>(_protector));
        await host.StartAsync(Stop);
        await PostAsync(host, "first");
        Reload(host, "false");
        await PostAsync(host, "second");
        Reload(host, "true");
        await PostAsync(host, "third");

        _store.Letters.OrderBy(l => l.Id).Select(l => l.ProtectedWith).ShouldBe(["k1", null, "k1"], ignoreOrder: true);
        var review = host.Services.GetRequiredService<IDeadLetterReview>();
        var letters = await review.ListAsync(new(), Stop);
        letters.Select(l => Encoding.UTF8.GetString(l.Body!.Value.Span)).ShouldBe(["first", "second", "third"], ignoreOrder: true);
        letters.ShouldAllBe(l => l.Uri.Query == "?ref=s3cret");
        _server.Script(Replies.Status(200), Replies.Status(200), Replies.Status(200));
        foreach (var letter in letters)
            (await review.SendAsync(letter.Id, "me", Stop)).Status.ShouldBe(DeadLetterStatus.Replayed);
        _server.Requests.Skip(3).Select(r => (r.Text, r.Uri.Query, r.Headers["X-Customer"])).ShouldBe(
            [("first", "?ref=s3cret", "c1"), ("second", "?ref=s3cret", "c1"), ("third", "?ref=s3cret", "c1")], ignoreOrder: true);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_correction_sees_plain_data_and_is_protected_if_the_client_protects_now()
    {
        using var host = Build(protects: false, s => s.AddSingleton<ILetterProtector>(_protector));
        await host.StartAsync(Stop);
        await PostAsync(host, "plain");
        Reload(host, "true");
        var review = host.Services.GetRequiredService<IDeadLetterReview>();
        var letter = (await review.ListAsync(new(), Stop)).ShouldHaveSingleItem();

        var corrected = await review.ResubmitAsync(letter.Id, l => l with { Body = "fixed"u8.ToArray() }, "me", Stop);
        Reload(host, "false");
        var again = await review.ResubmitAsync(corrected.Id, l => l with { Body = "fixed again"u8.ToArray() }, "me", Stop);

        foreach (var id in new[] { corrected.Id, again.Id })
        {
            var stored = _store.Letters.Single(l => l.Id == id);
            stored.ProtectedWith.ShouldBe("k1");
            Encoding.UTF8.GetString(stored.Body!.Value.Span).ShouldNotContain("fixed");
        }

        var found = (await review.FindAsync(again.Id, Stop))!;
        (Encoding.UTF8.GetString(found.Body!.Value.Span), found.Uri.Query).ShouldBe(("fixed again", "?ref=s3cret"));
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_protector_that_fails_loses_the_letter_loudly_and_writes_nothing_secret()
    {
        _protector.Fails = new CryptographicException("no key");
        using var host = Build(protects: true, s => s.AddSingleton<ILetterProtector>(_protector));
        await host.StartAsync(Stop);

        await PostAsync(host, "body-s3cret");

        _store.Letters.ShouldBeEmpty();
        _logs.WithId(501).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Critical);
        _logs.Entries.ShouldAllBe(l => !l.Message.Contains("s3cret", StringComparison.Ordinal));
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_protector_that_cannot_be_reached_keeps_the_letter_until_it_can()
    {
        using var host = Build(protects: true, s => s.AddSingleton<ILetterProtector>(_protector));
        await host.StartAsync(Stop);
        await PostAsync(host);
        _protector.Fails = new IOException("the vault is away");
        var store = host.Services.GetRequiredService<IDeadLetterStore>();

        (await store.ClaimAsync(Claim(), Stop)).ShouldBeEmpty();

        var stored = _store.Letters.ShouldHaveSingleItem();
        (stored.Status, stored.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, "key k1 is missing"));
        (await store.MissingKeysAsync(Stop)).ShouldBe(["k1"]);
        _protector.Fails = null;
        (await store.ReleaseAsync("k1", DateTimeOffset.UtcNow, Stop)).ShouldBe(1);
        (await store.ClaimAsync(Claim(), Stop)).ShouldHaveSingleItem().Uri.Query.ShouldBe("?ref=s3cret");
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_store_that_fails_while_letters_are_set_aside_returns_those_it_has_claimed()
    {
        using var host = Build(protects: true, s => s.AddSingleton<ILetterProtector>(_protector));
        await host.StartAsync(Stop);
        await PostAsync(host);
        await _store.DeadLetters.AddAsync(_store.Letter with { Id = Guid.CreateVersion7(), Headers = [] }, Stop);
        _store.Before(nameof(IDeadLetterStore.UpdateAsync), () =>
            (_store.FailsOn, _store.Fails) = (nameof(IDeadLetterStore.ClaimAsync), new HttpResilienceStorageException("away")));

        var claimed = await host.Services.GetRequiredService<IDeadLetterStore>().ClaimAsync(Claim(), Stop);

        claimed.ShouldHaveSingleItem().Uri.Query.ShouldBe("?ref=s3cret");
        _store.Claims.Count.ShouldBe(2);
        _store.Fails = null;
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task Memory_that_is_short_sets_no_letter_aside()
    {
        using var host = Build(protects: true, s => s.AddSingleton<ILetterProtector>(_protector));
        await host.StartAsync(Stop);
        await PostAsync(host);
        _protector.Fails = new InsufficientMemoryException();

        await Should.ThrowAsync<InsufficientMemoryException>(
            () => host.Services.GetRequiredService<IDeadLetterStore>().ClaimAsync(Claim(), Stop));

        _store.Letters.ShouldHaveSingleItem().Status.ShouldBe(DeadLetterStatus.InProgress);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_key_that_rotates_between_body_and_headers_is_one_key_in_the_letter()
    {
        using var host = Build(protects: true, s => s.AddSingleton<ILetterProtector>(_protector));
        await host.StartAsync(Stop);
        _protector.RotatesAfter = 1;

        await PostAsync(host, "rotated");

        _store.Letters.ShouldHaveSingleItem().ProtectedWith.ShouldBe("k2");
        var found = (await host.Services.GetRequiredService<IDeadLetterReview>().ListAsync(new(), Stop)).ShouldHaveSingleItem();
        Encoding.UTF8.GetString(found.Body!.Value.Span).ShouldBe("rotated");
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_key_ring_that_cannot_be_written_is_an_error_at_start()
    {
        _protector.Fails = new UnauthorizedAccessException("read-only");
        using var host = Build(protects: true, s => s.AddSingleton<ILetterProtector>(_protector));

        await host.StartAsync(Stop);

        while (_logs.WithId(559).Count == 0)
            await Task.Delay(5, Stop);
        _logs.WithId(559).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Error);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task Keys_that_are_back_are_looked_for_at_start_and_every_minute_where_letters_are_replayed()
    {
        var clock = new ManualTimeProvider();
        _protector.Fails = new IOException("the vault is away");
        await _store.DeadLetters.AddAsync(Waiting("k1"), Stop);
        await _store.DeadLetters.AddAsync(Waiting("k2"), Stop);
        using var host = Build(
            protects: false, s => s.AddSingleton<ILetterProtector>(_protector).AddSingleton<TimeProvider>(clock).AddDeadLetterReplay());
        using var other = Build(
            protects: false, s => s.AddSingleton<ILetterProtector>(new Xor()).AddSingleton<TimeProvider>(clock));
        await other.StartAsync(Stop);
        await host.StartAsync(Stop);
        await clock.TimerDueInAsync(LetterKeyWatch.Interval);
        _store.Letters.ShouldAllBe(l => l.Status == DeadLetterStatus.RequiresReview);

        _protector.Fails = null;
        clock.Advance(LetterKeyWatch.Interval);

        while (_logs.WithId(557).Count < 2)
            await Task.Delay(5, Stop);
        _logs.WithId(557).Select(l => l["KeyId"]).ShouldBe(["k1", "k2"], ignoreOrder: true);
        await host.StopAsync(Stop);
        await other.StopAsync(Stop);

        static DeadLetter Waiting(string keyId) => new()
        {
            Id = Guid.CreateVersion7(),
            ClientName = "unknown",
            Method = "POST",
            Uri = new("https://api.example.com/"),
            FailureClass = FailureClass.Transient,
            StopReason = StopReason.AttemptsExhausted,
            FirstFailedAt = DateTimeOffset.UnixEpoch,
            LastFailedAt = DateTimeOffset.UnixEpoch,
            Status = DeadLetterStatus.RequiresReview,
            DueAt = DateTimeOffset.UnixEpoch,
            ProtectedWith = keyId,
            SuggestedAction = LetterKeyMissingException.ActionOf(keyId),
        };
    }

    private static DeadLetterClaim Claim() => new()
    {
        Clients = ["api"],
        Now = DateTimeOffset.UtcNow.AddYears(1),
        LeaseUntil = DateTimeOffset.UtcNow.AddYears(1).AddSeconds(30),
        Limit = 10,
    };

    private static async Task<string> FailureAsync(IHost host) =>
        (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Stop))).Failures.ShouldHaveSingleItem();

    private static void Reload(IHost host, string protects)
    {
        var configuration = (IConfigurationRoot)host.Services.GetRequiredService<IConfiguration>();
        configuration[ProtectKey] = protects;
        configuration.Reload();
    }

    private async Task PostAsync(IHost host, string body = "{}")
    {
        _server.Script(Replies.Status(503));
        using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("api");
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.example.com/x?ref=s3cret")
        {
            Content = new StringContent(body),
            Headers = { { "X-Customer", "c1" } },
        };
        using var response = await client.SendAsync(request, Stop);
    }

    private IHost Build(
        bool protects, Action<IServiceCollection>? services, Action<HttpResilienceStorageBuilder>? storage = null, bool keeps = true)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([
            new(ProtectKey, protects ? "true" : "false"),
            new("HttpResilience:Clients:api:DeadLetter:Enabled", keeps ? "true" : "false"),
            new("HttpResilience:Clients:api:CircuitBreaker:BreakDuration", ""),
        ]);
        builder.Logging.AddProvider(_logs);
        builder.Services.AddHttpResilienceStorage(s =>
        {
            s.UseInMemory(_store.Storage);
            storage?.Invoke(s);
        });
        builder.Services.AddResilientHttpClient("api", o =>
        {
            o.BaseAddress = new("https://api.example.com");
            o.Retry.MaxRetryAttempts = 0;
        }).ConfigurePrimaryHttpMessageHandler(() => _server);
        services?.Invoke(builder.Services);
        return builder.Build();
    }

    /// <summary>A protector of an application: no encryption, but its purposes and keys are those of one.</summary>
    private sealed class Xor : ILetterProtector
    {
        private int _calls;

        internal Exception? Fails { get; set; }

        internal int? RotatesAfter { get; set; }

        public string? Problem => null;

        public byte[] Protect(ReadOnlySpan<byte> data, string purpose, out string keyId)
        {
            if (Fails is not null)
                throw Fails;
            keyId = RotatesAfter is { } limit && _calls++ >= limit ? "k2" : "k1";
            return [.. Encoding.UTF8.GetBytes($"{keyId} {purpose}\n"), .. Flip(data)];
        }

        public byte[] Unprotect(ReadOnlySpan<byte> data, string purpose, string keyId)
        {
            if (Fails is not null)
                throw Fails;
            byte[] begin = Encoding.UTF8.GetBytes($"{keyId} {purpose}\n");
            return data.StartsWith(begin) ? Flip(data[begin.Length..]) : throw new CryptographicException("changed");
        }

        public bool HasKey(string keyId) => Fails is null;

        private static byte[] Flip(ReadOnlySpan<byte> data)
        {
            byte[] flipped = data.ToArray();
            foreach (ref byte b in flipped.AsSpan())
                b ^= 0x55;
            return flipped;
        }
    }

    private sealed class InMemoryRepository : IXmlRepository
    {
        public IReadOnlyCollection<System.Xml.Linq.XElement> GetAllElements() => [];

        public void StoreElement(System.Xml.Linq.XElement element, string friendlyName)
        {
        }
    }
}
