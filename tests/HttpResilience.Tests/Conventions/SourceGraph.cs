using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace HttpResilience.Tests.Conventions;

/// <summary>A name in the source, bound to the type that it belongs to.</summary>
/// <param name="From">The file that has the name, relative to the root of the graph.</param>
/// <param name="Line">Counted from 1.</param>
/// <param name="FromType">The outermost type around the name.</param>
/// <param name="ToType">
/// The outermost type that the name belongs to, the extended type for an extension member, or the name itself
/// where that is a type of another assembly.
/// </param>
/// <param name="To">The file that declares the name, or null when it stands outside the graph.</param>
internal sealed record SourceReference(string From, int Line, string FromType, string Name, string ToType, string? To)
{
    public override string ToString() =>
        $"{From}({Line}): {FromType} -> {(Name == ToType ? "" : $"{ToType}.")}{Name}{(To is null ? "" : $" in {To}")}";
}

/// <summary>Every reference between the files of a source folder, bound by the compiler. Doc comments do not count.</summary>
internal sealed class SourceGraph
{
    private const string ImplicitUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;
        global using HttpResilience.Configuration; global using HttpResilience.Storage;
        """;

    // A missing body of a generated partial member is an error of the compilation, but does not hinder binding.
    private SourceGraph(string root, IEnumerable<string> folders)
    {
        var options = new CSharpParseOptions(LanguageVersion.CSharp14, DocumentationMode.Parse);
        Trees = [.. folders.SelectMany(folder => FilesOf(Path.Combine(root, folder)))
            .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, Path.GetRelativePath(root, file)))];
        string usings = ImplicitUsings
            + string.Concat(folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.csproj"))
                .SelectMany(project => Regex.Matches(File.ReadAllText(project), "<Using Include=\"(.+?)\"")).Select(
                    m => $"global using {m.Groups[1].Value};"));
        string platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        var libraries = platform.Split(Path.PathSeparator).Where(
            path => !Path.GetFileName(path).StartsWith("HttpResilience", StringComparison.Ordinal));
        var compilation = CSharpCompilation.Create(
            "Layers", [.. Trees, CSharpSyntaxTree.ParseText(usings, options)],
            libraries.Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        Unbound = [.. compilation.GetDiagnostics().Where(d => d.Id is "CS0234" or "CS0246").Select(d => d.ToString())];
        References = [.. Trees.SelectMany(tree => ReferencesIn(tree, compilation.GetSemanticModel(tree)))];
    }

    internal IReadOnlyList<SyntaxTree> Trees { get; }

    internal IReadOnlyList<SourceReference> References { get; }

    /// <summary>Names of types that the compiler did not find: what refers to them is missing in the graph.</summary>
    internal IReadOnlyList<string> Unbound { get; }

    internal IEnumerable<string> Files => Trees.Select(tree => tree.FilePath);

    /// <summary>The references from one file to another.</summary>
    internal IEnumerable<SourceReference> BetweenFiles => References.Where(r => r.To is not null && r.To != r.From);

    internal static SourceGraph Of(string root, params IEnumerable<string> folders) => new(root, folders);

    internal static IEnumerable<string> FilesOf(string folder) => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin")).Order(StringComparer.Ordinal);

    internal static string FolderOf(string file) => Path.GetDirectoryName(file)!;

    /// <summary>The types of the graph that each type names, itself not counted.</summary>
    internal ILookup<string, string> FanOut() => References.Where(r => r.To is not null && r.ToType != r.FromType)
        .Select(r => (r.FromType, r.ToType)).Distinct().ToLookup(r => r.FromType, r => r.ToType);

    /// <summary>Groups of files that all lead to one another (Tarjan's strongly connected components), the largest first.</summary>
    internal IReadOnlyList<IReadOnlyList<string>> Cycles()
    {
        var next = BetweenFiles.Select(r => (r.From, To: r.To!)).Distinct().ToLookup(r => r.From, r => r.To);
        Dictionary<string, int> index = [], low = [];
        HashSet<string> open = [];
        Stack<string> path = [];
        List<IReadOnlyList<string>> cycles = [];
        foreach (string file in Files)
        {
            if (!index.ContainsKey(file))
                Visit(file);
        }

        return [.. cycles.Where(cycle => cycle.Count > 1).OrderByDescending(cycle => cycle.Count)];

        void Visit(string file)
        {
            index[file] = low[file] = index.Count;
            path.Push(file);
            open.Add(file);
            foreach (string other in next[file])
            {
                if (!index.ContainsKey(other))
                    Visit(other);
                if (open.Contains(other))
                    low[file] = Math.Min(low[file], low[other]);
            }

            if (low[file] != index[file])
                return;
            List<string> cycle = [];
            do
            {
                cycle.Add(path.Pop());
                open.Remove(cycle[^1]);
            }
            while (cycle[^1] != file);
            cycles.Add([.. cycle.Order(StringComparer.Ordinal)]);
        }
    }

    /// <summary>Folders each of which has a file that refers to a file of the other.</summary>
    internal IEnumerable<(string First, string Second)> MutualFolders()
    {
        var between = BetweenFiles.Select(r => (First: FolderOf(r.From), Second: FolderOf(r.To!))).ToHashSet();
        return between.Where(p => string.CompareOrdinal(p.First, p.Second) < 0 && between.Contains((p.Second, p.First)));
    }

    private static IEnumerable<SourceReference> ReferencesIn(SyntaxTree tree, SemanticModel model)
    {
        foreach (var node in tree.GetRoot().DescendantNodes())
        {
            if (node is not (SimpleNameSyntax or BaseObjectCreationExpressionSyntax or ConstructorInitializerSyntax))
                continue;
            var info = model.GetSymbolInfo(node);
            var symbol = ((info.Symbol ?? info.CandidateSymbols.FirstOrDefault()) switch
            {
                IMethodSymbol { ReducedFrom: { } extension } => extension,
                var found => found,
            })?.OriginalDefinition;
            if (symbol is null or INamespaceSymbol or IParameterSymbol or ILocalSymbol or ITypeParameterSymbol or IRangeVariableSymbol
                || Outermost(symbol) is not { IsTupleType: false } type)
                continue;

            int line = tree.GetLineSpan(node.Span).StartLinePosition.Line + 1;
            string owner = (node.Ancestors().OfType<BaseTypeDeclarationSyntax>().LastOrDefault())?.Identifier.ValueText ?? "";
            string name = symbol is IMethodSymbol { MethodKind: MethodKind.Constructor } ? type.Name : symbol.Name;
            // new(...) names no type: only what it constructs from the graph counts.
            if (symbol.DeclaringSyntaxReferences.IsEmpty && node is SimpleNameSyntax)
                yield return new(tree.FilePath, line, owner, name, type.Name, null);
            foreach (var declaration in symbol.DeclaringSyntaxReferences)
                yield return new(tree.FilePath, line, owner, name, type.Name, declaration.SyntaxTree.FilePath);
        }
    }

    private static INamedTypeSymbol? Outermost(ISymbol symbol)
    {
        var type = symbol as INamedTypeSymbol ?? symbol.ContainingType;
        if (type is { IsExtension: true, ExtensionParameter.Type: INamedTypeSymbol extended })
            type = extended;
        while (type?.ContainingType is { } outer)
            type = outer;
        return type;
    }
}
