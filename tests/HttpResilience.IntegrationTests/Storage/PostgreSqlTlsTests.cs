using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The settings that docs/postgresql.md names for encrypted connections, against a server with a certificate.</summary>
public sealed class PostgreSqlTlsTests(PostgreSqlServer server) : IClassFixture<PostgreSqlServer>, IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("httpresilience-tls-").FullName;
    private TestDatabase? _database;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        using var authority = Authority("integration");
        using var other = Authority("other");
        using var certificate = Issue(authority, "127.0.0.1");
        await File.WriteAllTextAsync(Path.Combine(_directory, "ca.pem"), authority.ExportCertificatePem(), Stop);
        await File.WriteAllTextAsync(Path.Combine(_directory, "other.pem"), other.ExportCertificatePem(), Stop);
        await WriteAsync("server.crt", certificate.ExportCertificatePem());
        await WriteAsync("server.key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await server.ExecuteAsync("postgres", "ALTER SYSTEM SET ssl = on");
        await server.ExecuteAsync("postgres", "SELECT pg_reload_conf()");
        await Eventually.BeAsync(() => server.ScalarAsync<string>("postgres", "SHOW ssl").GetAwaiter().GetResult() == "on");
    }

    public async ValueTask DisposeAsync()
    {
        await _database!.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task With_VerifyFull_and_the_certificate_of_the_authority_letters_travel_encrypted()
    {
        var letter = Letters.Plain();
        (await Store(Tls("VerifyFull", "ca.pem")).AddAsync(letter, Stop)).ShouldBeTrue();

        (await Store(Tls("VerifyFull", "ca.pem")).FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
        string name = ((PostgreSqlTestDatabase)_database!).Name;
        (await server.ScalarAsync<bool>(name, """
            SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'HttpResilience'
            """)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("VerifyFull", "other.pem", "127.0.0.1")]
    [InlineData("VerifyCA", "other.pem", "127.0.0.1")]
    [InlineData("VerifyFull", null, "127.0.0.1")]
    [InlineData("VerifyFull", "other.pem", "127.0.0.1,127.0.0.1")]
    // The certificate names the address, not the host.
    [InlineData("VerifyFull", "ca.pem", "localhost")]
    public async Task A_server_whose_certificate_is_not_trusted_gets_no_letter_and_the_reason_is_named(
        string mode, string? authority, string host)
    {
        var store = Store(Tls(mode, authority).Replace("127.0.0.1", host, StringComparison.Ordinal));

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.AddAsync(Letters.Plain(), Stop)))
            .Message.ShouldContain("is not trusted: set Root Certificate");
    }

    [Fact]
    public async Task A_server_without_encryption_is_refused_when_it_is_required()
    {
        await server.ExecuteAsync("postgres", "ALTER SYSTEM SET ssl = off");
        await server.ExecuteAsync("postgres", "SELECT pg_reload_conf()");
        await Eventually.BeAsync(() => server.ScalarAsync<string>("postgres", "SHOW ssl").GetAwaiter().GetResult() == "off");

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => Store(Tls("VerifyFull", "ca.pem")).AddAsync(Letters.Plain(), Stop)))
            .Message.ShouldContain("offers no encryption, which SSL Mode requires");
    }

    private IDeadLetterStore Store(string connectionString) => _database!.Open(connectionString: connectionString).DeadLetters;

    private string Tls(string mode, string? authority) => $"{_database!.ConnectionString};SSL Mode={mode}"
        + (authority is null ? "" : $";Root Certificate={Path.Combine(_directory, authority)}");

    // The server takes only a key that belongs to its user.
    private Task WriteAsync(string file, string pem) => server.ExecuteAsync("postgres", $"""
        COPY (SELECT unnest(string_to_array('{pem}', E'\n'))) TO PROGRAM 'umask 077; cat >{file}'
        """);

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=database", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, Guid.NewGuid().ToByteArray());
        return certificate.CopyWithPrivateKey(key);
    }
}
