using System.Security.Cryptography;
using System.Text;

namespace HttpResilience.Tests.Idempotency;

public sealed class RequestFingerprintTests
{
    private static readonly byte[] Body = SHA256.HashData("body"u8);

    [Fact]
    public void The_key_of_the_same_data_never_changes_from_version_to_version()
    {
        // Computed by hand from the layout: each text as its length in characters (int32, big endian; -1 for none) and UTF-16
        // big endian, then the digest of the body.
        byte[] data =
        [
            .. Text("HttpResilience content key 1"), .. Text("POST"), .. Text("https://api.test/invoices?x=1"), .. Text("comp1"), .. Body,
        ];
        string expected = Convert.ToBase64String(SHA256.HashData(data)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

        string key = new RequestFingerprint(HttpMethod.Post, new("https://api.test/invoices?x=1"), "comp1", Body).ToKey();

        key.ShouldBe(expected);
        key.ShouldBe("DtbJRjOCKNcs7e8ALXEX9-8OMdEt_M6h5r9oso4LBZ0");

        static byte[] Text(string text) => [0, 0, 0, (byte)text.Length, .. Encoding.BigEndianUnicode.GetBytes(text)];
    }

    public static TheoryData<string, string> SameUri => new()
    {
        { "https://api.test/a", "HTTPS://API.test/a" },
        { "https://api.test/a", "https://api.test:443/a" },
        { "http://api.test/a", "http://api.test:80/a" },
        { "https://api.test", "https://api.test/" },
        { "https://api.test/a", "https://api.test/a#part" },
        { "https://api.test/a", "https://user:secret@api.test/a" },
        { "https://api.test/b", "https://api.test/a/../b" },
        { "https://b\u00fccher.test/a", "https://xn--bcher-kva.test/a" },
        { "https://api.test/\u00e4", "https://api.test/%C3%A4" },
    };

    [Theory, MemberData(nameof(SameUri))]
    public void Uris_that_are_sent_alike_are_the_same(string one, string other)
    {
        KeyOf(uri: one).ShouldBe(KeyOf(uri: other));
        Of(uri: one).DifferenceFrom(Of(uri: other)).ShouldBeNull();
    }

    public static TheoryData<string, string> OtherUri => new()
    {
        { "https://api.test/a", "http://api.test/a" },
        { "https://api.test/a", "https://api.test:8443/a" },
        { "https://api.test/a", "https://api.test.evil/a" },
        { "https://api.test/a", "https://api.test/a/" },
        { "https://api.test/a", "https://api.test/A" },
        { "https://api.test/a", "https://api.test/a?" },
        { "https://api.test/a?x=1", "https://api.test/a?x=2" },
        { "https://api.test/a?x=1&y=2", "https://api.test/a?y=2&x=1" },
    };

    [Theory, MemberData(nameof(OtherUri))]
    public void Uris_that_are_sent_differently_are_different(string one, string other)
    {
        KeyOf(uri: one).ShouldNotBe(KeyOf(uri: other));
        Of(uri: one).DifferenceFrom(Of(uri: other)).ShouldBe("URI");
    }

    [Theory]
    [InlineData("POST", "POST", true)]
    [InlineData("POST", "post", true)]
    [InlineData("POST", "PATCH", false)]
    [InlineData("POST", "POSTS", false)]
    public void Methods_count_whatever_their_case(string one, string other, bool same)
    {
        (KeyOf(method: one) == KeyOf(method: other)).ShouldBe(same);
        Of(method: one).DifferenceFrom(Of(method: other)).ShouldBe(same ? null : "method");
    }

    [Theory, InlineData("a", "b"), InlineData(null, ""), InlineData("a", "A"), InlineData("a", "a ")]
    public void Each_tenant_has_keys_of_its_own(string? one, string? other) => KeyOf(tenant: one).ShouldNotBe(KeyOf(tenant: other));

    [Fact]
    public void Tenants_that_no_encoding_can_write_are_distinguished() => KeyOf(tenant: "\ud800").ShouldNotBe(KeyOf(tenant: "\ud801"));

    [Fact]
    public void The_tenant_is_no_part_of_the_request_that_a_key_was_given_for() =>
        Of(tenant: "a").DifferenceFrom(Of(tenant: "b")).ShouldBeNull();

    [Fact]
    public void Every_difference_is_reported() =>
        Of(method: "PATCH", uri: "https://api.test/b", body: "b"u8).DifferenceFrom(Of()).ShouldBe("method and URI and body");

    [Fact]
    public void An_unknown_body_is_not_distinguished_from_another()
    {
        var unknown = new RequestFingerprint(HttpMethod.Post, new("https://api.test/a"), null, null);

        Of().DifferenceFrom(unknown).ShouldBeNull();
        unknown.DifferenceFrom(Of()).ShouldBeNull();
        unknown.DifferenceFrom(Of(method: "PUT")).ShouldBe("method");
        Should.Throw<InvalidOperationException>(() => unknown.ToKey());
    }

    [Fact]
    public void A_relative_uri_counts_as_it_stands() =>
        new RequestFingerprint(HttpMethod.Post, new("a", UriKind.Relative), null, Body).ToKey()
            .ShouldNotBe(new RequestFingerprint(HttpMethod.Post, new("b", UriKind.Relative), null, Body).ToKey());

    /// <summary>Few letters and short words, so that equal and nearly equal data comes up often.</summary>
    [Fact]
    public void Keys_are_equal_exactly_when_the_data_is()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        var keys = new Dictionary<(string, string, string?, string), string>();
        for (int i = 0; i < 20_000; i++)
        {
            var data = (
                Method: Word(random, 1), Uri: Word(random, 0), Tenant: random.Next(4) == 0 ? null : Word(random, 0), Body: Word(random, 0));
            string key = new RequestFingerprint(
                new(data.Method), new($"http://h/{data.Uri}"), data.Tenant, SHA256.HashData(Encoding.ASCII.GetBytes(data.Body))).ToKey();

            keys.TryAdd(data, key);
            keys[data].ShouldBe(key, $"seed {seed}, round {i}: {data}");
            IdempotencyKey.Validate(key);
        }

        keys.Values.Distinct().Count().ShouldBe(keys.Count, $"seed {seed}");
    }

    private static string Word(Random random, int shortest) =>
        new([.. Enumerable.Range(0, random.Next(shortest, 4)).Select(_ => "AB"[random.Next(2)])]);

    private static string KeyOf(string method = "POST", string uri = "https://api.test/a", string? tenant = null) =>
        Of(method, uri, tenant).ToKey();

    private static RequestFingerprint Of(
        string method = "POST", string uri = "https://api.test/a", string? tenant = null, ReadOnlySpan<byte> body = default) =>
        new(new(method), new(uri), tenant, SHA256.HashData(body));
}
