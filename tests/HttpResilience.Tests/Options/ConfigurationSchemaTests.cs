using System.Text.Json.Nodes;

namespace HttpResilience.Tests.Options;

/// <summary>The JSON schema that the package brings along, so that editors complete and check the configuration.</summary>
public sealed class ConfigurationSchemaTests
{
    private const string FileName = "ConfigurationSchema.json";

    private static readonly JsonObject Schema = JsonNode.Parse(ConfigurationSchema.Text)!.AsObject();

    [Fact]
    public void The_schema_in_the_package_is_the_one_of_the_options()
    {
        string file = Path.Combine(AppContext.BaseDirectory, FileName);
        if (File.Exists(file) && File.ReadAllText(file).ReplaceLineEndings("\n") == ConfigurationSchema.Text)
            return;

        string received = Path.Combine(AppContext.BaseDirectory, Path.ChangeExtension(FileName, ".received.json"));
        File.WriteAllText(received, ConfigurationSchema.Text);
        Assert.Fail($"""
            The options, or their doc comments, have changed: the schema is not theirs any more. Look at the difference, and accept it:
            cp {received} {Path.Combine(Repository.Root, "src", "HttpResilience", FileName)}
            """);
    }

    [Fact]
    public void The_configuration_of_the_sample_is_valid() =>
        Problems(Repository.Read("samples/InvoiceSender/appsettings.sending.json")).ShouldBeEmpty();

    [Theory, InlineData("README.md"), InlineData("docs/routes.md")]
    public void The_examples_of_the_documentation_are_valid(string page)
    {
        string[] examples = [.. Repository.Read(page).Split("```json\n").Skip(1).Select(rest => rest.Split("```")[0])];

        examples.ShouldNotBeEmpty();
        examples.SelectMany(Problems).ShouldBeEmpty();
    }

    [Fact]
    public void A_section_that_was_written_for_Microsofts_handler_is_valid() => Problems(MicrosoftSectionTests.Section).ShouldBeEmpty();

    [Theory]
    [InlineData("""{ "Logging": { "LogLevel": { "Default": "Information" } }, "AllowedHosts": "*" }""")]
    [InlineData("""{ "HttpResilience": {} }""")]
    [InlineData("""{ "HttpResilience": { "Defaults": {}, "Clients": { "any name at all": {} } } }""")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Retry": { "Statuses": { "404": { "MaxRetryAttempts": 2 }, "599": {} } } } } }""")]
    [InlineData(
        """{ "HttpResilience": { "Defaults": { "Idempotency": { "Methods": [] }, "Logging": { "RedactedHeaders": ["X-Secret"] } } } }""")]
    [InlineData(
        """{ "HttpResilience": { "Defaults": { "RateLimiter": { "TokenBucket": { "TokenLimit": 10, "TokensPerPeriod": 5 } } } } }""")]
    [InlineData(
        """
        { "HttpResilience": { "Defaults": {
          "Retry": { "MaxDelay": null, "Delay": "1.00:00:00", "Jitter": { "Mode": null } }, "BaseAddress": null } } }
        """)]
    [InlineData(
        """
        { "HttpResilience": { "Defaults": { "Routes": {
          "POST /exports/*": { "CircuitBreaker": { "BreakDuration": null } }, "/a%3Ab/**": null,
          "* /": { "Hedging": { "Enabled": true } } } } } }
        """)]
    public void A_correct_configuration_is_valid(string document) => Problems(document).ShouldBeEmpty();

    [Theory]
    [InlineData("""{ "HttpResilience": { "Client": {} } }""", "/HttpResilience/Client")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Retries": {} } } }""", "/HttpResilience/Defaults/Retries")]
    [InlineData("""{ "HttpResilience": { "Clients": { "api": { "Retry": { "MaxRetries": 1 } } } } }""",
        "/HttpResilience/Clients/api/Retry/MaxRetries")]
    [InlineData("""{ "HttpResilience": { "Clients": { "api": { "Retry": { "Statuses": { "200": {} } } } } } }""",
        "/HttpResilience/Clients/api/Retry/Statuses/200")]
    [InlineData("""{ "HttpResilience": { "Clients": { "api": 5 } } }""", "/HttpResilience/Clients/api")]
    [InlineData(
        """{ "HttpResilience": { "Defaults": { "TotalRequestTimeout": "00:00:10" } } }""", "/HttpResilience/Defaults/TotalRequestTimeout")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "TotalRequestTimeout": { "Timeout": 10 } } } }""",
        "/HttpResilience/Defaults/TotalRequestTimeout/Timeout")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "TotalRequestTimeout": { "Timeout": "10" } } } }""",
        "/HttpResilience/Defaults/TotalRequestTimeout/Timeout")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Retry": { "Delay": "00:00:61" } } } }""", "/HttpResilience/Defaults/Retry/Delay")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Retry": { "Delay": null } } } }""", "/HttpResilience/Defaults/Retry/Delay")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Retry": { "MaxRetryAttempts": -1 } } } }""",
        "/HttpResilience/Defaults/Retry/MaxRetryAttempts")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Retry": { "MaxRetryAttempts": 1.5 } } } }""",
        "/HttpResilience/Defaults/Retry/MaxRetryAttempts")]
    [InlineData(
        """{ "HttpResilience": { "Defaults": { "Retry": { "BackoffFactor": 11 } } } }""", "/HttpResilience/Defaults/Retry/BackoffFactor")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Retry": { "BackoffType": "Quadratic" } } } }""",
        "/HttpResilience/Defaults/Retry/BackoffType")]
    [InlineData(
        """{ "HttpResilience": { "Defaults": { "Retry": { "UseJitter": "maybe" } } } }""", "/HttpResilience/Defaults/Retry/UseJitter")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "CircuitBreaker": { "FailureRatio": 1.1 } } } }""",
        "/HttpResilience/Defaults/CircuitBreaker/FailureRatio")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Idempotency": { "Methods": "POST" } } } }""",
        "/HttpResilience/Defaults/Idempotency/Methods")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Idempotency": { "Methods": ["GO PLACES"] } } } }""",
        "/HttpResilience/Defaults/Idempotency/Methods/0")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Idempotency": { "HeaderName": "" } } } }""",
        "/HttpResilience/Defaults/Idempotency/HeaderName")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "BaseAddress": "/v1" } } }""", "/HttpResilience/Defaults/BaseAddress")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Routes": { "exports/*": {} } } } }""", "/HttpResilience/Defaults/Routes/exports/*")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Routes": { "/a:b": {} } } } }""", "/HttpResilience/Defaults/Routes//a:b")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Routes": { "/a": { "MaxTimeout": null } } } } }""",
        "/HttpResilience/Defaults/Routes//a/MaxTimeout")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Routes": { "/a": { "Retry": { "Delay": "soon" } } } } } }""",
        "/HttpResilience/Defaults/Routes//a/Retry/Delay")]
    [InlineData("""{ "HttpResilience": { "Defaults": { "Routes": { "/a": { "CircuitBreaker": { "BreakDuration": "00:00:01" } } } } } }""",
        "/HttpResilience/Defaults/Routes//a/CircuitBreaker/BreakDuration")]
    public void A_wrong_value_is_refused_at_its_path(string document, string path) =>
        Problems(document).ShouldHaveSingleItem().ShouldStartWith($"{path}: ");

    private static IReadOnlyList<string> Problems(string document) => JsonSchema.Problems(Schema, JsonNode.Parse(document));

}
