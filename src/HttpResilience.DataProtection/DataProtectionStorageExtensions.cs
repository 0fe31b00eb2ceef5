using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Dead letters that are encrypted with the key ring of ASP.NET Core Data Protection.</summary>
public static class DataProtectionStorageExtensions
{
    extension(HttpResilienceStorageBuilder storage)
    {
        /// <summary>
        /// Encrypts the letters of clients with <c>DeadLetter:Protect</c> with the application's key ring. Its keys must survive a restart,
        /// and every process that replays or reviews the letters needs the same ring and the same application name:
        /// <c>services.AddDataProtection().SetApplicationName("shop").PersistKeysToFileSystem(new("/var/lib/shop/keys"))</c>. A client does
        /// not start without <c>PersistKeysTo…</c>.
        /// </summary>
        /// <returns>The same builder.</returns>
        public HttpResilienceStorageBuilder ProtectWithDataProtection()
        {
            ArgumentNullException.ThrowIfNull(storage);
            storage.Services.AddDataProtection();
            storage.Services.TryAddSingleton<ILetterProtector>(services => new DataProtectionLetterProtector(
                services.GetRequiredService<IDataProtectionProvider>(), services.GetRequiredService<IKeyManager>(),
                services.GetRequiredService<IOptions<KeyManagementOptions>>(),
                services.GetRequiredService<IOptions<DataProtectionOptions>>(),
                services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance, services.GetRequiredService<TimeProvider>()));
            return storage;
        }
    }
}
