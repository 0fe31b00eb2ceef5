namespace HttpResilience.Tests.Idempotency;

/// <summary>How a key stands in the header, and what of a header that the caller has set is the key.</summary>
public sealed class KeyHeaderTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("\"quoted\"", "quoted")]
    [InlineData("\"a\\\"b\\\\c\"", "a\"b\\c")]
    [InlineData("\"a\\\\\\\"\"", "a\\\"")]
    [InlineData("\"not closed", "\"not closed")]
    [InlineData("\"wrong \\escape\"", "\"wrong \\escape\"")]
    [InlineData("\"ends in escape\\\"", "\"ends in escape\\\"")]
    [InlineData("\"two\", \"values\"", "\"two\", \"values\"")]
    [InlineData("\"with\";parameter=1", "\"with\";parameter=1")]
    [InlineData("\"", "\"")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("\"  \"", "\"  \"")]
    [InlineData(" blanks ", "blanks")]
    public async Task The_callers_own_header_is_sent_as_it_is_and_its_key_is_what_the_quotes_hold(string header, string key)
    {
        using var chain = new Chain(o => o.Idempotency.Quoted = true);
        chain.Server.Script(Replies.Status(503), Replies.Status(201));
        var request = Chain.Post();
        request.Headers.TryAddWithoutValidation("Idempotency-Key", header);

        using var response = await chain.SendAsync(true, request);

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe([header, header]);
        response.GetHttpCall()!.IdempotencyKey.ShouldBe(key);
    }

    [Fact]
    public async Task Quotes_are_part_of_the_key_where_keys_are_not_quoted()
    {
        using var chain = new Chain();
        var request = Chain.Post();
        request.Headers.TryAddWithoutValidation("Idempotency-Key", "\"mine\"");

        using var response = await chain.SendAsync(true, request);

        response.GetHttpCall()!.IdempotencyKey.ShouldBe("\"mine\"");
    }

    [Fact]
    public void A_quoted_key_is_read_back()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++)
        {
            string key = new([.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => "a\\\""[random.Next(3)])]);

            string header = IdempotencyKey.Quote(key);

            IdempotencyKey.FromHeader(header, quoted: true).ShouldBe(key, $"seed {seed}");
            header[1..^1].Replace("\\\\", "", StringComparison.Ordinal).Replace("\\\"", "", StringComparison.Ordinal).ShouldNotContain('"',
                $"seed {seed}");
        }
    }

    [Theory, InlineData("IDEMPOTENCY-KEY", "idempotency-key"), InlineData("x-key", "X-KEY")]
    public async Task The_case_of_the_headers_name_does_not_matter(string configured, string given)
    {
        using var chain = new Chain(o => o.Idempotency.HeaderName = configured);
        var request = Chain.Post();
        request.Headers.Add(given, "mine");

        (await chain.SendAsync(true, request)).Dispose();

        chain.Server.Requests[0].Headers[configured].ShouldBe("mine");
    }

    [Theory, InlineData("POST"), InlineData("GET")]
    public async Task A_key_that_the_client_sends_with_every_request_is_kept(string method)
    {
        using var chain = new Chain();
        chain.Client.DefaultRequestHeaders.Add("Idempotency-Key", "of client");
        chain.Server.Script(Replies.Status(500), Replies.Status(200));

        using var response = await chain.SendAsync(true, new(new(method), "invoices"));

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe(["of client", "of client"]);
        response.GetHttpCall()!.IdempotencyKey.ShouldBe("of client");
    }

    [Theory, InlineData(" a"), InlineData("a "), InlineData(" a ")]
    public void A_key_does_not_begin_or_end_with_a_blank_that_the_wire_would_lose(string key)
    {
        Should.Throw<ArgumentException>(() => Chain.Post().WithIdempotencyKey(key));
        Should.Throw<ArgumentException>(() => HttpCallScope.Begin(new() { IdempotencyKey = key }));
    }

    [Fact]
    public async Task A_blank_inside_is_part_of_the_key()
    {
        using var chain = new Chain();

        (await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("a b"))).Dispose();

        chain.Server.Requests[0].IdempotencyKey.ShouldBe("a b");
    }

    [Theory, InlineData("Content-Type"), InlineData("content-md5"), InlineData("Expires")]
    public void A_header_of_the_body_cannot_carry_the_key(string name)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Idempotency:HeaderName"] = name });

        Should.Throw<Microsoft.Extensions.Options.OptionsValidationException>(() => chain.Client)
            .Message.ShouldContain($"HttpResilience:Clients:api:Idempotency:HeaderName is '{name}'; it must be an HTTP field name (RFC "
                + $"9110 §5.6.2) of a request");
    }
}
