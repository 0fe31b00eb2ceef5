using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.AspNetCore;

/// <summary>A form whose token could not be read, to be sent once more.</summary>
/// <param name="Action">Its address.</param>
/// <param name="Fields">All that was typed and chosen.</param>
internal sealed record RepeatedForm(string Action, IReadOnlyList<(string Name, string Value)> Fields)
{
    /// <summary>A file was chosen, which a form cannot carry a second time.</summary>
    public bool HasFile { get; init; }

    internal static RepeatedForm Of(PageCall call)
    {
        var request = call.Context.Request;
        string token = request.HttpContext.RequestServices.GetRequiredService<IOptions<AntiforgeryOptions>>().Value.FormFieldName;
        return new(
            request.PathBase.Add(request.Path).ToUriComponent() + request.QueryString.ToUriComponent(),
            [.. call.Form.Where(f => f.Key != token).SelectMany(f => f.Value.Select(value => (f.Key, value ?? "")))])
        {
            HasFile = call.Form.Files.Any(f => f.Length > 0),
        };
    }
}
