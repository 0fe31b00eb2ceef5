namespace HttpResilience.Tests.Http;

/// <summary>Two requests have one hash when they ask for the same on behalf of the same, and only then.</summary>
public sealed class RequestFieldsTests
{
    private const string Uri = "https://api.test/me?q=1";

    public static TheoryData<string, string, string, string, string?> Others => new()
    {
        { "method", "HEAD", Uri, "Authorization: A", "comp1" },
        { "query", "GET", "https://api.test/me?q=2", "Authorization: A", "comp1" },
        { "host", "GET", "https://other.test/me?q=1", "Authorization: A", "comp1" },
        { "port", "GET", "https://api.test:8443/me?q=1", "Authorization: A", "comp1" },
        { "scheme", "GET", "http://api.test/me?q=1", "Authorization: A", "comp1" },
        { "path in another case", "GET", "https://api.test/ME?q=1", "Authorization: A", "comp1" },
        { "user-info", "GET", "https://bob:x@api.test/me?q=1", "Authorization: A", "comp1" },
        { "tenant", "GET", Uri, "Authorization: A", "comp2" },
        { "empty tenant", "GET", Uri, "Authorization: A", "" },
        { "no tenant", "GET", Uri, "Authorization: A", null },
        { "credentials", "GET", Uri, "Authorization: B", "comp1" },
        { "credentials in another case", "GET", Uri, "Authorization: a", "comp1" },
        { "no credentials", "GET", Uri, "", "comp1" },
        { "more credentials", "GET", Uri, "Authorization: A|Cookie: s=1", "comp1" },
        { "two values", "GET", Uri, "Authorization: A|Authorization: B", "comp1" },
        { "a field of the API's own", "GET", Uri, "Authorization: A|X-User: 17", "comp1" },
        { "a value moved to another field", "GET", Uri, "X-Authorization: A", "comp1" },
        { "language", "GET", Uri, "Authorization: A|Accept-Language: de", "comp1" },
    };

    [Theory, MemberData(nameof(Others))]
    public void A_different_request_or_caller_has_another_hash(string what, string method, string uri, string headers, string? tenant) =>
        Hash(method, uri, headers, tenant).ShouldNotBe(Hash("GET", Uri, "Authorization: A", "comp1"), what);

    [Theory]
    [InlineData("authorization: A")]
    [InlineData("AUTHORIZATION: A|traceparent: 00-1-2-00")]
    [InlineData("Authorization: A|X-Request-ID: 5|X-Correlation-Id: 6|x-b3-traceid: 7|Idempotency-Key: 8|Cache-Control: max-stale|Pragma: "
        + "x|X-Amzn-Trace-Id: 9")]
    public void The_case_of_names_and_what_belongs_to_one_message_make_no_difference(string headers) =>
        Hash("GET", Uri, headers, "comp1").ShouldBe(Hash("GET", Uri, "Authorization: A", "comp1"));

    [Fact]
    public void The_order_of_names_makes_no_difference_and_that_of_values_does()
    {
        Hash("GET", Uri, "A: 1|B: 2").ShouldBe(Hash("GET", Uri, "B: 2|A: 1"));
        Hash("GET", Uri, "A: 1|A: 2").ShouldNotBe(Hash("GET", Uri, "A: 2|A: 1"));
    }

    [Fact]
    public void Values_cannot_run_into_each_other()
    {
        string[] hashes = [Hash("GET", Uri, "A: 1|B: 2"), Hash("GET", Uri, "A: 1field b:2"),
            Hash("GET", Uri, "A: 1\nfield b:2"), Hash("GET", Uri, "", "x"), Hash("GET", Uri, "", "xmethod GET")];

        hashes.Distinct().Count().ShouldBe(hashes.Length);
        Hash("GET", Uri, "", "\uD800").ShouldNotBe(Hash("GET", Uri, "", "\uD801"));
    }

    [Theory]
    [InlineData("https://API.test/me?q=1", true)]
    [InlineData("https://api.test:443/me?q=1", true)]
    [InlineData("https://bob:x@api.test/me?q=1", true)]
    [InlineData("https://api.test/me?q=1#part", true)]
    [InlineData("https://api.test/me", false)]
    [InlineData("https://api.test/Me?q=1", false)]
    [InlineData("http://api.test/me?q=1", false)]
    public void A_resource_is_a_URI_without_what_only_the_client_sees(string uri, bool same) =>
        (RequestFields.ResourceOf(new(uri)) == RequestFields.ResourceOf(new(Uri))).ShouldBe(same);

    [Fact]
    public void A_hash_tells_nothing()
    {
        Hash("GET", Uri, "Authorization: Bearer secret").ShouldMatch("^[0-9a-f]{64}$");
        RequestFields.ResourceOf(new(Uri)).ShouldMatch("^[0-9a-f]{64}$");
    }

    private static string Hash(string method, string uri, string headers, string? tenant = null)
    {
        using var request = new HttpRequestMessage(new(method), uri);
        foreach (string header in headers.Split('|', StringSplitOptions.RemoveEmptyEntries))
            request.Headers.TryAddWithoutValidation(header.Split(": ")[0], header.Split(": ")[1]);
        var fields = new RequestFields();
        fields.Add(request.Method, request.RequestUri, request.Headers.NonValidated);
        return fields.HashFor(tenant);
    }
}
