using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using HttpResilience.AspNetCore;
using HttpResilience.Operators;
using HttpResilience.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>The description says what the API does.</summary>
public sealed class OpenApiTests
{
    private static readonly JsonObject Document = JsonNode.Parse(OpenApiDocument.Bytes.Span)!.AsObject();

    private static readonly JsonObject Schemas = Document["components"]!["schemas"]!.AsObject();

    private static readonly Dictionary<string, Type> Contracts = new()
    {
        ["LetterPage"] = typeof(LetterPage),
        ["LetterSummary"] = typeof(LetterSummary),
        ["Letter"] = typeof(LetterModel),
        ["Resolution"] = typeof(ResolutionModel),
        ["Header"] = typeof(HeaderModel),
        ["Body"] = typeof(BodyModel),
        ["GroupList"] = typeof(GroupList),
        ["Group"] = typeof(GroupModel),
        ["Counts"] = typeof(CountsModel),
        ["UnreplayedList"] = typeof(UnreplayedList),
        ["Unreplayed"] = typeof(UnreplayedModel),
        ["ClientList"] = typeof(ClientList),
        ["Client"] = typeof(ClientModel),
        ["Host"] = typeof(HostModel),
        ["ClientDetail"] = typeof(ClientDetail),
        ["Pause"] = typeof(PauseModel),
        ["PauseReach"] = typeof(PauseReachModel),
        ["PauseRequest"] = typeof(PauseRequest),
        ["Budget"] = typeof(BudgetModel),
        ["BurnRate"] = typeof(BurnRateModel),
        ["BudgetList"] = typeof(BudgetList),
        ["Setting"] = typeof(SettingModel),
        ["SettingList"] = typeof(SettingList),
        ["Incident"] = typeof(IncidentModel),
        ["IncidentPage"] = typeof(IncidentPage),
        ["Batch"] = typeof(BatchModel),
        ["BatchPage"] = typeof(BatchPage),
        ["BatchFailure"] = typeof(BatchFailureModel),
        ["BatchDetail"] = typeof(BatchDetail),
        ["ReplayRequest"] = typeof(ReplayRequest),
        ["ResolveRequest"] = typeof(ResolveRequest),
        ["ResubmitRequest"] = typeof(ResubmitRequest),
        ["PurgeRequest"] = typeof(PurgeRequest),
        ["PurgePreview"] = typeof(PurgePreview),
        ["PurgeResult"] = typeof(PurgeResult),
        ["UndoRequest"] = typeof(UndoRequest),
        ["Event"] = typeof(EventModel),
        ["Activity"] = typeof(ActivityModel),
        ["ActivityPage"] = typeof(ActivityPage),
        ["Instance"] = typeof(InstanceModel),
        ["InstanceList"] = typeof(InstanceList),
        ["Job"] = typeof(JobModel),
        ["JobProgress"] = typeof(JobProgressModel),
        ["JobList"] = typeof(JobList),
        ["JobRequest"] = typeof(JobRequest),
        ["StopRequest"] = typeof(StopRequest),
        ["Hold"] = typeof(HoldModel),
        ["Circuit"] = typeof(CircuitModel),
        ["InstanceCircuit"] = typeof(InstanceCircuitModel),
        ["CircuitList"] = typeof(CircuitList),
        ["CircuitRequest"] = typeof(CircuitRequest),
        ["Problem"] = typeof(ProblemModel),
    };

    [Fact]
    public async Task Each_endpoint_that_is_mapped_is_described_and_no_other()
    {
        await using var host = await ApiHost.StartAsync(b => b.Services.AddHttpResilienceApi(), app => app.MapHttpResilienceApi());
        var mapped = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().SelectMany(
            endpoint => endpoint.Metadata.GetOrderedMetadata<ApiOperation>()
                .Select(o => $"{o.Method} {endpoint.RoutePattern.RawText!.Replace(ApiHost.Prefix, "", StringComparison.Ordinal)}"));
        var described = Document["paths"]!.AsObject().SelectMany(
            path => path.Value!.AsObject().Select(o => $"{o.Key.ToUpperInvariant()} {path.Key}"));

        described.ShouldBe(mapped, ignoreOrder: true);
    }

    [Fact]
    public void Each_schema_has_the_properties_of_its_contract_and_their_types()
    {
        Schemas.Select(s => s.Key).ShouldBe(Contracts.Keys, ignoreOrder: true);
        foreach (var (name, contract) in Contracts)
        {
            var type = OperatorJson.Default.GetTypeInfo(contract).ShouldNotBeNull(name);
            var properties = Schemas[name]!["properties"]!.AsObject();

            properties.Select(p => p.Key).ShouldBe(type.Properties.Select(p => p.Name), ignoreOrder: true, name);
            foreach (var property in type.Properties)
                KindOf(properties[property.Name]!.AsObject()).ShouldBe(KindOf(property), $"{name}.{property.Name}");
        }
    }

    [Fact]
    public void What_is_always_there_is_required_and_requests_take_nothing_else()
    {
        foreach (var (name, contract) in Contracts)
        {
            var type = OperatorJson.Default.GetTypeInfo(contract)!;
            bool isRequest = name.EndsWith("Request", StringComparison.Ordinal);
            var always = isRequest ? [] : type.Properties.Where(p => !p.IsGetNullable && Nullable.GetUnderlyingType(p.PropertyType) is null)
                .Select(p => p.Name);

            (Schemas[name]!["required"]?.AsArray().Select(p => p!.GetValue<string>()) ?? []).ShouldBe(always, ignoreOrder: true, name);
            (Schemas[name]!["additionalProperties"]?.GetValueKind() is JsonValueKind.False).ShouldBe(isRequest, name);
        }
    }

    [Fact]
    public void Each_reference_leads_somewhere_and_each_operation_has_an_id_of_its_own()
    {
        List<string> references = [], ids = [];
        Walk(Document);

        ids.ShouldBeUnique();
        references.ShouldNotBeEmpty();
        foreach (string reference in references.Distinct())
            reference.Split('/').Skip(1).Aggregate((JsonNode?)Document, (node, part) => node?[part]).ShouldNotBeNull(reference);

        void Walk(JsonNode? node)
        {
            if (node is JsonArray array)
                array.ToList().ForEach(Walk);
            foreach (var (name, value) in node as JsonObject ?? [])
            {
                if (name == "$ref")
                    references.Add(value!.GetValue<string>());
                else if (name == "operationId")
                    ids.Add(value!.GetValue<string>());
                else
                    Walk(value);
            }
        }
    }

    [Fact]
    public void The_words_of_the_filter_are_its_parameters()
    {
        var parameters = Document["components"]!["parameters"]!.AsObject();

        parameters.Select(p => p.Key).Append("before").ShouldBe(LetterFilter.Names, ignoreOrder: true);
        Texts(parameters["class"]!["schema"]!["enum"]!).ShouldBe(LetterWords.Classes);
        Texts(Schemas["LetterSummary"]!["properties"]!["status"]!["enum"]!).ShouldBe(LetterWords.Statuses);
        Texts(Schemas["Event"]!["properties"]!["kind"]!["enum"]!).ShouldBe(Enum.GetValues<LetterEventKind>().Select(LetterWords.Of));
        Texts(Schemas["Job"]!["properties"]!["state"]!["enum"]!).ShouldBe(Enum.GetValues<LetterJobState>().Select(LetterWords.Of));
        foreach (string schema in new[] { "Host", "Circuit", "InstanceCircuit" })
        {
            Texts(Schemas[schema]!["properties"]!["circuit"]!["enum"]!).ShouldBe(
                Enum.GetValues<CircuitState>().Select(LetterWords.Of), ignoreOrder: true);
        }
        Texts(Schemas["Incident"]!["properties"]!["severity"]!["enum"]!).ShouldBe(IncidentModel.Severities);
        Texts(Schemas["Budget"]!["properties"]!["state"]!["enum"]!).ShouldBe(BudgetModel.States);
    }

    [Fact]
    public void The_manual_has_each_address_each_word_of_the_filter_and_each_option()
    {
        string manual = Repository.Read("docs/api.md");

        ApiOperations.All.Select(o => $"| `{o.Method} {o.Path}` |").Where(row => !manual.Contains(row, StringComparison.Ordinal))
            .ShouldBeEmpty();
        LetterFilter.Names.Concat(LetterWords.Statuses).Concat(LetterWords.Classes.Where(c => c != "none")).Concat(
            typeof(HttpResilienceApiOptions).GetProperties().Select(p => p.Name))
            .Where(word => !manual.Contains($"`{word}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static IEnumerable<string> Texts(JsonNode array) => array.AsArray().Select(t => t!.GetValue<string>());

    private static string KindOf(JsonObject schema) => schema["$ref"]?.GetValue<string>() is { } reference
        ? Contracts[reference.Split('/')[^1]].Name
        : schema["type"]!.GetValue<string>() switch
        {
            "array" => $"array of {KindOf(schema["items"]!.AsObject())}",
            "object" => $"map of {KindOf(schema["additionalProperties"]!.AsObject())}",
            "number" => "double",
            "string" when schema["format"] is { } format => format.GetValue<string>(),
            var type => type,
        };

    private static string KindOf(JsonPropertyInfo property) => KindOf(property.PropertyType);

    private static string KindOf(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain == typeof(string) ? "string"
            : plain == typeof(bool) ? "boolean"
            : plain == typeof(int) || plain == typeof(long) ? "integer"
            : plain == typeof(double) ? "double"
            : plain == typeof(Guid) ? "uuid"
            : plain == typeof(DateTimeOffset) ? "date-time"
            : plain.IsArray ? $"array of {KindOf(plain.GetElementType()!)}"
            : plain.IsGenericType && plain.GenericTypeArguments is [var item] ? $"array of {KindOf(item)}"
            : plain.IsGenericType ? $"map of {KindOf(plain.GenericTypeArguments[1])}"
            : plain.Name;
    }
}
