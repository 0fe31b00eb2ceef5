using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Stands for the section <c>HttpResilience:Storage</c> among what is validated when the host starts.</summary>
internal sealed class StorageOptions;

/// <summary>Says what is wrong with the section before anything is kept.</summary>
internal sealed class ValidateStorage(IReadOnlyDictionary<string, HttpResilienceStorageProvider> providers, IConfiguration? section) : IValidateOptions<StorageOptions>
{
    public ValidateOptionsResult Validate(string? name, StorageOptions options)
    {
        List<string> problems = [];
        return StorageChoice.Find(providers, section, problems) is not null ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
