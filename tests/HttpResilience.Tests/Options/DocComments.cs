using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace HttpResilience.Tests.Options;

/// <summary>What the doc comments of an assembly say, without their markup. The compiler writes them beside it.</summary>
internal sealed partial class DocComments(params string[] fileNames)
{
    private readonly Dictionary<string, XElement> _members = fileNames
        .SelectMany(fileName => XDocument.Load(Path.Combine(AppContext.BaseDirectory, fileName)).Descendants("member"))
        // A file may be compiled into both.
        .DistinctBy(m => m.Attribute("name")!.Value)
        .ToDictionary(m => m.Attribute("name")!.Value);

    /// <exception cref="KeyNotFoundException">The type has no doc comment.</exception>
    public string SummaryOf(Type type) => Summary($"T:{type.FullName?.Replace('+', '.')}");

    /// <exception cref="KeyNotFoundException">The property has no doc comment.</exception>
    public string SummaryOf(Type type, string property) => Summary($"P:{type.FullName?.Replace('+', '.')}.{property}");

    private string Summary(string member) => _members.TryGetValue(member, out var found) && found.Element("summary") is { } summary
        ? Whitespace().Replace(string.Concat(summary.Nodes().Select(Text)), " ").Trim()
        : throw new KeyNotFoundException($"{member} has no doc comment.");

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement element when element.Attribute("cref") is { } reference && element.IsEmpty => Name(reference.Value),
        XElement element when element.Attribute("langword") is { } word => word.Value,
        XElement element => string.Concat(element.Nodes().Select(Text)),
        _ => "",
    };

    // "P:HttpResilience.RetryOptions.MaxDelay" is MaxDelay, the reader knows where he is;
    // "P:System.Net.Http.HttpClient.Timeout" is HttpClient.Timeout.
    private static string Name(string reference)
    {
        string[] words = reference.Split('(')[0].Split('.', ':');
        return words[0] is "T" || words[1] is nameof(HttpResilience) ? words[^1] : $"{words[^2]}.{words[^1]}";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
