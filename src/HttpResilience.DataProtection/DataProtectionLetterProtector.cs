using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Protects with the current key of the application's key ring. The id of a key is that of the ring, <c>@</c> and the application name:
/// with another name the same key opens nothing.
/// </summary>
internal sealed class DataProtectionLetterProtector(
    IDataProtectionProvider provider, IKeyManager keys, IOptions<KeyManagementOptions> ring, IOptions<DataProtectionOptions> application,
    ILoggerFactory loggers, TimeProvider time) : ILetterProtector
{
    private const string Purpose = "HttpResilience.DeadLetter";

    private const int KeyIdLength = 16;

    private const int MaxShownName = 60;

    // Reading the ring for each of many damaged letters would be slow.
    private static readonly TimeSpan ReadRingEvery = TimeSpan.FromSeconds(1);

    private const string Remedy =
        "Restore the key ring, or give this process the ring (PersistKeysTo…) and the application name (SetApplicationName) of the "
        + "process that stored the letter; the part of the id after @ is that name, or a hash of it";

    /// <summary>The first bytes of data that the platform protects, before the id of the key (its documented format).</summary>
    private static ReadOnlySpan<byte> Magic => [0x09, 0xf0, 0xc9, 0xf0];

    private readonly string _application = ShownName(application.Value.ApplicationDiscriminator);
    private readonly Lock _gate = new();
    private ReadRing? _latest;

    public string? Problem
    {
        get
        {
            const string persist =
                "AddDataProtection().SetApplicationName(…) and PersistKeysToFileSystem(…) or another PersistKeysTo…";
            if (provider is EphemeralDataProtectionProvider)
                return "the key ring lives in memory only (UseEphemeralDataProtectionProvider), so no letter could be read after a "
                    + $"restart; use {persist}.";
            return ring.Value.XmlRepository switch
            {
                null => $"the key ring has no place of its own, so in a container no letter could be read after a restart; use {persist}.",
                var repository when IsInMemory(repository.GetType().Name) =>
                    $"the key ring lives in memory only ({repository.GetType().Name}), so no letter could be read after a restart; "
                    + $"use {persist}.",
                _ => null,
            };
        }
    }

    public byte[] Protect(ReadOnlySpan<byte> data, string purpose, out string keyId)
    {
        byte[] protectedData = provider.CreateProtector(Purpose, purpose).Protect(data.ToArray());
        keyId = $"{KeyOf(protectedData):D}@{_application}";
        return protectedData;
    }

    public byte[] Unprotect(ReadOnlySpan<byte> data, string purpose, string keyId)
    {
        if (Own(keyId) is not { } id)
            throw new LetterKeyMissingException(keyId, Remedy);
        if (KeyOf(data) != id)
            throw new CryptographicException("The data were protected with another key than the one that is named.");
        byte[] bytes = data.ToArray();
        try
        {
            return provider.CreateProtector(Purpose, purpose).Unprotect(bytes);
        }
        catch (CryptographicException e)
        {
            // The ring in memory may be older than the one that another process has added the key to.
            var latest = Latest(id, keyId);
            return latest.Usable.Contains(id) ? latest.Provider.CreateProtector(Purpose, purpose).Unprotect(bytes)
                : throw new LetterKeyMissingException(keyId, Remedy, e);
        }
    }

    public bool HasKey(string keyId) => Own(keyId) is { } id && Read().Usable.Contains(id);

    private ReadRing Latest(Guid id, string keyId)
    {
        lock (_gate)
        {
            if (_latest is { } latest && (latest.Usable.Contains(id) || time.GetElapsedTime(latest.At) < ReadRingEvery))
                return latest;
            try
            {
                return Read();
            }
            catch (Exception e)
            {
                throw new LetterKeyMissingException(keyId, $"The key ring cannot be read: {e.Message}", e);
            }
        }
    }

    /// <summary>Reads the ring anew; the platform does so once a day.</summary>
    private ReadRing Read()
    {
        lock (_gate)
        {
            HashSet<Guid> usable = [.. keys.GetAllKeys().Where(IsUsable).Select(k => k.KeyId)];
            if (_latest is { } latest && latest.Usable.SetEquals(usable))
                return _latest = latest with { At = time.GetTimestamp() };
            _latest?.Services.Dispose();
            var services = new ServiceCollection();
            services.AddDataProtection();
            services.AddSingleton(keys);
            services.AddSingleton(ring);
            services.AddSingleton(application);
            services.AddSingleton(loggers);
            var container = services.BuildServiceProvider();
            return _latest = new(container, container.GetRequiredService<IDataProtectionProvider>(), usable, time.GetTimestamp());
        }
    }

    private static bool IsUsable(IKey key)
    {
        try
        {
            return !key.IsRevoked && key.CreateEncryptor() is not null;
        }
        catch (Exception)
        {
            // The encryption of the keys of the ring (ProtectKeysWith…) cannot open this one in this process.
            return false;
        }
    }

    /// <summary>The id in the ring; null when the key is that of another application.</summary>
    private Guid? Own(string keyId) => keyId.IndexOf('@', StringComparison.Ordinal) is > 0 and var at
        && keyId.AsSpan(at + 1).SequenceEqual(_application) && Guid.TryParseExact(keyId.AsSpan(0, at), "D", out var id) ? id : null;

    private static Guid KeyOf(ReadOnlySpan<byte> protectedData) =>
        protectedData.StartsWith(Magic) && protectedData.Length >= Magic.Length + KeyIdLength
            ? new(protectedData.Slice(Magic.Length, KeyIdLength))
            : throw new CryptographicException("The data were not protected with a key ring of ASP.NET Core Data Protection.");

    private static bool IsInMemory(string typeName) =>
        typeName.Contains("Ephemeral", StringComparison.OrdinalIgnoreCase)
        || typeName.Contains("InMemory", StringComparison.OrdinalIgnoreCase);

    // By default the name is the path of the application, which is nothing for a list of letters.
    private static string ShownName(string? name) =>
        name is { Length: > 0 and <= MaxShownName } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? name : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name ?? "")).AsSpan(0, 4));

    private sealed record ReadRing(ServiceProvider Services, IDataProtectionProvider Provider, IReadOnlySet<Guid> Usable, long At);
}
