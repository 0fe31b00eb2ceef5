using Microsoft.Extensions.Options;

namespace HttpResilience.AspNetCore;

/// <summary>Gives the JSON API the rules of the page.</summary>
internal sealed class ConfigureApiOfPage(IOptions<HttpResiliencePageOptions> page) : IConfigureOptions<HttpResilienceApiOptions>
{
    public void Configure(HttpResilienceApiOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var rules = page.Value;
        (options.OperatePolicy, options.Who, options.ShowBodies) = (rules.OperatePolicy, rules.Who, rules.ShowBodies);
        (options.Contact, options.PostsPerMinute) = (rules.Contact, rules.PostsPerMinute);
    }
}
