using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HttpResilience.Tests.Conventions;

/// <summary>The order of the folders of src, as Layers.txt has it.</summary>
public sealed class LayerTests(ITestOutputHelper output)
{
    private static readonly Layers Layers = new(Repository.Read("tests/HttpResilience.Tests/Conventions/Layers.txt"));

    private static readonly Lazy<SourceGraph> Lazily = new(() =>
        SourceGraph.Of(Path.Combine(Repository.Root, "src"), "HttpResilience", "HttpResilience.Operations"));

    private static readonly HashSet<string> NotForRules = ["HttpCall", "Client", "Client", "ILogger", "Task", "ValueTask"];

    private static readonly string[] SourceFolders = ["src", "tests", "samples"];

    private static readonly HashSet<string> Hubs = ["HttpCall", "Client", "Client"];

    private static SourceGraph Source => Lazily.Value;

    [Fact]
    public void Every_type_that_the_source_names_is_found() => Source.Unbound.ShouldBeEmpty();

    [Fact]
    public void No_file_refers_to_a_higher_level() => Keep("upward references", Source.BetweenFiles
        .Where(r => Layers.IsUpward(r.From, r.To!)).DistinctBy(r => (r.From, r.To))
        .Select(r => $"{r}, level {Layers.LevelOf(r.From)} to {Layers.LevelOf(r.To!)}"));

    [Fact]
    public void Features_of_one_level_refer_to_each_other_only_where_Layers_txt_says_so()
    {
        var sideways = Source.BetweenFiles.Where(
            r => Layers.LevelOf(r.From) is var level && level > Layers.Rules && level == Layers.LevelOf(r.To!)
                && SourceGraph.FolderOf(r.From) != SourceGraph.FolderOf(r.To!)).ToLookup(r => Layers.NeighboursOf(r));

        sideways.Where(pair => !Layers.Neighbours.Contains(pair.Key))
            .Select(pair => $"{pair.Key}, for instance {pair.First()}").ShouldBeEmpty();
        Layers.Neighbours.Except(sideways.Select(pair => pair.Key)).ShouldBeEmpty(
            "Neighbours in Layers.txt that do not refer to each other.");
    }

    [Fact]
    public void Few_folders_know_each_other() =>
        Keep("mutual folders", Source.MutualFolders().Select(pair => $"{pair.First} and {pair.Second}"));

    [Fact]
    public void No_cycle_of_files_is_long()
    {
        var largest = Source.Cycles() is [var first, ..] ? first : [];

        Keep("largest file cycle", largest);
    }

    [Fact]
    public void No_type_knows_many_others()
    {
        var fanOut = Source.FanOut();

        foreach (var type in fanOut.OrderByDescending(t => t.Count()).Take(10))
            output.WriteLine($"{type.Key} {type.Count()}");
        fanOut.Where(t => t.Count() > Layers.LimitOf(t.Key, Hubs.Contains(t.Key) ? "types known to a hub" : "types known to a type"))
            .Select(t => $"{t.Key} knows {t.Count()} types: {string.Join(' ', t)}").ShouldBeEmpty();
    }

    [Fact]
    public void A_rule_names_no_call_no_client_no_logger_and_no_task() => Keep("impure rules", Source.References
        .Where(r => Layers.IsRule(r.From) && !r.From.EndsWith("Options.cs", StringComparison.Ordinal) && NotForRules.Contains(r.ToType))
        .DistinctBy(r => (r.From, r.ToType)).Select(r => r.ToString()));

    [Fact]
    public void No_line_is_longer_than_140_columns() => Keep("long lines", SourceFolders
        .SelectMany(folder => SourceGraph.FilesOf(Path.Combine(Repository.Root, folder)))
        .SelectMany(file => File.ReadLines(file).Index().Where(line => line.Item.Length > 140)
            .Select(line => $"{Path.GetRelativePath(Repository.Root, file)}({line.Index + 1}): {line.Item.Length} columns")));

    [Fact]
    public void A_member_has_one_summary_at_most() =>
        Source.Trees.SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<MemberDeclarationSyntax>()
            .Where(member => member.GetLeadingTrivia().Select(t => t.GetStructure()).OfType<DocumentationCommentTriviaSyntax>()
                .Sum(doc => doc.Content.OfType<XmlElementSyntax>().Count(e => e.StartTag.Name.LocalName.ValueText == "summary")) > 1)
            .Select(member => $"{tree.FilePath}({tree.GetLineSpan(member.Span).StartLinePosition.Line + 1}): two summaries"))
                .ShouldBeEmpty();

    [Fact]
    public void The_chain_of_the_readme_is_the_list_of_stages()
    {
        string stages = Repository.Read("src/HttpResilience/AddResilientHttpClient.cs").Split("Stages { get; } =")[1].Split("];")[0];
        string diagram = Repository.Read("README.md").Split("## The chain\n")[1].Split("\n## ")[0];

        Regex.Matches(diagram, @"^ (\w+Handler)  ", RegexOptions.Multiline).Select(m => m.Groups[1].Value)
            .ShouldBe(Regex.Matches(stages, @"new (\w+Handler)\(").Select(m => m.Groups[1].Value));
    }

    // Every finding is in the message, and the number of them in the output: it shows when the limit can be tightened.
    private void Keep(string limit, IEnumerable<string> findings)
    {
        string[] found = [.. findings];
        output.WriteLine($"{limit}: {found.Length}, {Layers.Limit(limit)} at most");
        found.Length.ShouldBeLessThanOrEqualTo(Layers.Limit(limit), $"{limit}:\n{string.Join('\n', found.Take(100))}");
    }
}
