namespace HttpResilience.Tests.Http;

/// <summary>RFC 9110 §9.2, RFC 10008 and IANA's registry of HTTP methods.</summary>
public sealed class HttpMethodsTests
{
    private const string Safe = "GET HEAD OPTIONS TRACE QUERY PROPFIND REPORT SEARCH PRI";

    private const string Idempotent = "PUT DELETE ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK MERGE MKACTIVITY MKCALENDAR "
        + "MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPPATCH REBIND UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF "
        + "VERSION-CONTROL";

    private const string Neither = "POST PATCH CONNECT LOCK PURGE BREW * GETS";

    [Theory]
    [InlineData(Safe, true, true), InlineData(Idempotent, false, true), InlineData(Neither, false, false)]
    public void A_method_is_safe_or_idempotent_by_its_definition(string names, bool isSafe, bool isIdempotent)
    {
        foreach (string name in names.Split(' '))
        {
            var method = new HttpMethod(name);
            (method.IsSafe, method.IsIdempotent).ShouldBe((isSafe, isIdempotent), name);
        }
    }

    [Theory]
    [InlineData("get", true), InlineData("Query", true), InlineData("delete", true), InlineData("post", false)]
    public void Methods_are_compared_as_the_platform_does(string name, bool isIdempotent) =>
        new HttpMethod(name).IsIdempotent.ShouldBe(isIdempotent);

    [Fact]
    public void Responses_to_three_methods_are_cached()
    {
        string[] all = [.. Safe.Split(' '), .. Idempotent.Split(' '), .. Neither.Split(' ')];

        all.Where(name => new HttpMethod(name).IsCacheable).ShouldBe(["GET", "HEAD", "QUERY"]);
        all.Where(name => new HttpMethod(name).IsCachedByBody).ShouldBe(["QUERY"]);
    }
}
