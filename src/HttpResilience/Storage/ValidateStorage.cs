using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Represents the section <c>HttpResilience:Storage</c> among the options that are validated when the host starts.</summary>
internal sealed class StorageOptions;

/// <summary>Reports every problem of the section before the store is used.</summary>
internal sealed class ValidateStorage(HttpResilienceStorageBuilder storage, IConfiguration? configuration = null)
    : IValidateOptions<StorageOptions>
{
    public ValidateOptionsResult Validate(string? name, StorageOptions options)
    {
        List<string> problems = [];
        return StorageChoice.Find(storage, configuration, problems) is not null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(problems);
    }
}
