using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HttpResilience.Operations;

/// <summary>The alert policy in force. A reload replaces it; an invalid one is logged and changes nothing.</summary>
internal sealed partial class AlertSettings : IDisposable
{
    internal const string LogCategory = "HttpResilience.AlertSettings";

    private readonly IOptionsFactory<AlertOptions> _options;
    private readonly ILogger _logger;
    private readonly IDisposable? _reload;
    private volatile AlertPolicy? _policy;

    internal AlertSettings(IOptionsFactory<AlertOptions> options, IConfiguration? configuration, AlertQueue feed, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        if (configuration is not null)
        {
            _reload = ChangeToken.OnChange(configuration.GetReloadToken, () =>
            {
                Reload();
                feed.Tick();
            });
        }
    }

    /// <summary>Read when it is first needed, so that the validation at start reports its problems together with all others.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid, and never were.</exception>
    internal AlertPolicy Policy => _policy ??= new(_options.Create(Options.DefaultName));

    /// <inheritdoc cref="AlertOptions.DeploymentVersion"/>
    internal string? DeploymentVersion => Policy.DeploymentVersion;

    public void Dispose() => _reload?.Dispose();

    private void Reload()
    {
        try
        {
            _policy = new(_options.Create(Options.DefaultName));
        }
        catch (Exception e)
        {
            // Whatever the application's own code throws here would end the reading of the configuration for everybody else.
            ReloadRejected(_logger, e is OptionsValidationException { Failures: var failures } ? string.Join(" ", failures) : e.Message);
        }
    }

    [LoggerMessage(706, LogLevel.Error, "The changed configuration of alerts is not valid, what was in force before stays. {Problems}")]
    private static partial void ReloadRejected(ILogger logger, string problems);
}
