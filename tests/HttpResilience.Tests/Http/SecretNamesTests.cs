using System.Runtime.CompilerServices;

namespace HttpResilience.Tests.Http;

/// <summary>Which names carry credentials: those of real APIs in <c>SecretNames.tsv</c>, and how words are told apart.</summary>
public sealed class SecretNamesTests
{
    private static readonly SecretNames Names = new([], [], []);

    public static TheoryData<string> SecretHeaders => [.. NamesOf("header")];

    public static TheoryData<string> SecretParameters => [.. NamesOf("parameter")];

    public static TheoryData<string> HarmlessHeaders => [.. NamesOf("harmless")];

    [Theory]
    [MemberData(nameof(SecretHeaders))]
    public void Header_of_a_real_API_that_carries_a_credential_is_secret(string name)
    {
        Names.IsHeader(name).ShouldBeTrue();
        Names.IsHeader(name.ToLowerInvariant()).ShouldBeTrue("in lower case, as HTTP/2 sends it");
        Names.IsHeader(name.ToUpperInvariant()).ShouldBeTrue("in upper case");
    }

    [Theory]
    [MemberData(nameof(SecretParameters))]
    public void Query_parameter_of_a_real_API_that_carries_a_credential_is_secret(string name)
    {
        Names.IsParameter(name).ShouldBeTrue();
        Names.IsParameter(name.ToLowerInvariant()).ShouldBeTrue("in lower case");
        Names.IsParameter(name.ToUpperInvariant()).ShouldBeTrue("in upper case");
    }

    [Theory]
    [MemberData(nameof(HarmlessHeaders))]
    public void Header_of_a_real_API_without_a_credential_is_not_secret(string name)
    {
        Names.IsHeader(name).ShouldBeFalse();
        Names.IsHeader(name.ToLowerInvariant()).ShouldBeFalse("in lower case");
        Names.IsHeader(name.ToUpperInvariant()).ShouldBeFalse("in upper case");
    }

    [Fact]
    public void The_data_file_has_the_promised_number_of_names()
    {
        NamesOf("header").Count().ShouldBeGreaterThanOrEqualTo(61);
        NamesOf("parameter").Count().ShouldBeGreaterThanOrEqualTo(30);
        NamesOf("harmless").Count().ShouldBeGreaterThanOrEqualTo(35);
    }

    [Theory]
    [InlineData("sv")]
    [InlineData("se")]
    [InlineData("sr")]
    [InlineData("sp")]
    [InlineData("st")]
    [InlineData("spr")]
    [InlineData("skoid")]
    [InlineData("X-Amz-Date")]
    [InlineData("X-Amz-Algorithm")]
    [InlineData("X-Amz-SignedHeaders")]
    [InlineData("X-Amz-Expires")]
    [InlineData("SignatureVersion")]
    [InlineData("SignatureMethod")]
    [InlineData("SigAlg")]
    [InlineData("page")]
    [InlineData("page_token")]
    [InlineData("nextToken")]
    [InlineData("api-version")]
    [InlineData("grant_type")]
    [InlineData("token_type")]
    [InlineData("continuationToken")]
    [InlineData("syncToken")]
    [InlineData("previousPageToken")]
    [InlineData("max_tokens")]
    [InlineData("maxTokens")]
    [InlineData("issueKey")]
    [InlineData("exclusiveStartKey")]
    [InlineData("object_key")]
    [InlineData("session_timeout")]
    [InlineData("signature_required")]
    [InlineData("cookieConsent")]
    [InlineData("pass_through")]
    [InlineData("state")]
    [InlineData("author")]
    [InlineData("keyword")]
    [InlineData("countryCode")]
    [InlineData("")]
    public void Other_query_parameters_are_not_secret(string name) => Names.IsParameter(name).ShouldBeFalse();

    [Theory]
    [InlineData("api%5Fkey")]
    [InlineData("%73ig")]
    [InlineData("user[password]")]
    [InlineData("user%5Bpassword%5D")]
    [InlineData("auth.token")]
    [InlineData("$token")]
    [InlineData("+token")]
    [InlineData("apiKey2")]
    public void Query_parameters_are_read_without_their_escapes_and_brackets(string name) => Names.IsParameter(name).ShouldBeTrue();

    [Theory]
    [InlineData("APIKey", "api key")]
    [InlineData("X-APIKey", "x api key")]
    [InlineData("xApiKey", "x api key")]
    [InlineData("sessionid", "session id")]
    [InlineData("accesstoken", "access token")]
    [InlineData("X-Auth.User_Key", "x auth user key")]
    [InlineData("OAuth2Token", "o auth token")]
    [InlineData("X-Author", "x author")]
    [InlineData("X-PassengerId", "x passenger id")]
    [InlineData("codesign", "codesign")]
    [InlineData("---", "")]
    [InlineData("", "")]
    [InlineData("\u00e9t\u00e9", "t")]
    public void A_name_is_split_at_separators_at_case_changes_and_between_known_words(string name, string words) =>
        string.Join(' ', NameWords.Of(name)).ShouldBe(words);

    [Theory]
    [InlineData("X-APIkey")]
    [InlineData("XAPIKEY")]
    [InlineData("mytrackertoken")]
    [InlineData("X-Site-Passwords")]
    [InlineData("Secretkey")]
    [InlineData("X-User-Sessions")]
    [InlineData("X-Api-Key-2")]
    [InlineData("X-Key")]
    [InlineData("Key")]
    [InlineData("X-Max-Token")]
    [InlineData("X-User-Tokens")]
    public void Compounds_plurals_and_numbered_names_are_secret(string name) => Names.IsHeader(name).ShouldBeTrue();

    [Theory]
    [InlineData("X-Bypass-Cache")]
    [InlineData("X-Signal")]
    [InlineData("X-Cache-Key")]
    [InlineData("X-Partition-Key")]
    [InlineData("X-Idempotency-Token")]
    [InlineData("X-Continuation-Token")]
    [InlineData("X-Keyboard")]
    [InlineData("X-Monkey-Id")]
    [InlineData("X-Compass")]
    [InlineData("X-Secretary")]
    [InlineData("X-Tokenizer")]
    [InlineData("X-Signed-Headers")]
    [InlineData("X-Certified")]
    [InlineData("")]
    public void Words_that_only_contain_a_secret_word_are_not(string name) => Names.IsHeader(name).ShouldBeFalse();

    [Theory]
    [InlineData("password")]
    [InlineData("newPassword")]
    [InlineData("card")]
    [InlineData("cardNumber")]
    [InlineData("card_number")]
    [InlineData("creditCard")]
    [InlineData("cvv")]
    [InlineData("cvv2")]
    [InlineData("pan")]
    [InlineData("iban")]
    [InlineData("ssn")]
    [InlineData("pin")]
    [InlineData("accountNumber")]
    [InlineData("routing_number")]
    [InlineData("securityCode")]
    [InlineData("sortcode")]
    [InlineData("taxId")]
    [InlineData("token")]
    [InlineData("access_token")]
    [InlineData("clientSecret")]
    [InlineData("apiKey")]
    [InlineData("privateKey")]
    public void Fields_of_a_body_have_their_own_words(string name) => SecretNames.IsField(name).ShouldBeTrue();

    [Theory]
    [InlineData("key")]
    [InlineData("code")]
    [InlineData("cardType")]
    [InlineData("cardBrand")]
    [InlineData("accountId")]
    [InlineData("principal")]
    [InlineData("company")]
    [InlineData("spanId")]
    [InlineData("message")]
    [InlineData("title")]
    [InlineData("author")]
    [InlineData("tokenType")]
    [InlineData("sortKey")]
    [InlineData("continuationToken")]
    [InlineData("prompt_tokens")]
    [InlineData("totalTokens")]
    public void Other_fields_of_a_body_stay(string name) => SecretNames.IsField(name).ShouldBeFalse();

    [Fact]
    public void Options_add_names_and_take_names_away()
    {
        var names = new SecretNames(["X-Member-Pin", "!X-Sort-Token"], ["member", "!code"], ["token"]);

        names.IsHeader("x-member-pin").ShouldBeTrue();
        names.IsHeader("X-SORT-TOKEN").ShouldBeFalse();
        names.IsParameter("MEMBER").ShouldBeTrue();
        names.IsParameter("code").ShouldBeFalse();
        names.IsParameter("token").ShouldBeFalse("its value may be logged");
        names.IsParameter("sig").ShouldBeTrue();
    }

    [Fact]
    public void A_known_name_is_decided_without_allocating()
    {
        Names.IsHeader("X-Request-Id");
        Names.IsParameter("page=".AsSpan(0, 4));

        long before = GC.GetAllocatedBytesForCurrentThread();
        Names.IsHeader("X-Request-Id").ShouldBeFalse();
        Names.IsParameter("page=".AsSpan(0, 4)).ShouldBeFalse();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(200, "the assertions aside");
    }

    [Fact]
    public void Names_of_servers_do_not_fill_the_memory_and_long_ones_take_no_time()
    {
        var names = new SecretNames([], [], []);
        for (int i = 0; i < 10_000; i++)
            names.IsHeader($"X-Any-{i}").ShouldBeFalse();

        names.IsHeader(new string('a', 1_000_000)).ShouldBeFalse();
        names.IsHeader(string.Concat(Enumerable.Repeat("api", 100_000))).ShouldBeFalse();
    }

    [Fact]
    public void A_long_name_of_a_server_is_not_kept_in_memory()
    {
        var names = new SecretNames([], [], []);
        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Decide()
        {
            string name = new('a', 100_000);
            names.IsHeader(name).ShouldBeFalse();
            return new(name);
        }

        var decided = Decide();
        GC.Collect();
        decided.IsAlive.ShouldBeFalse();
        GC.KeepAlive(names);
    }

    internal static IEnumerable<string> NamesOf(string kind) => Repository.Read("tests/HttpResilience.Tests/Http/SecretNames.tsv")
        .Split('\n').Select(line => line.TrimEnd('\r').Split('\t')).Where(row => row[0] == kind).Select(row => row[1]);
}
