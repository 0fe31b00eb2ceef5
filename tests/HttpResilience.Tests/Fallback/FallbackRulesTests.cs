namespace HttpResilience.Tests.Fallback;

public sealed class FallbackRulesTests
{
    [Theory]
    [InlineData(null, FailureClass.Transient, true)]
    [InlineData(null, FailureClass.ServerError, true)]
    [InlineData(null, FailureClass.RateLimited, true)]
    [InlineData(null, FailureClass.None, false)]
    [InlineData(null, FailureClass.Cancelled, false)]
    [InlineData(null, FailureClass.Permanent, false)]
    [InlineData(null, FailureClass.Authentication, false)]
    [InlineData(null, FailureClass.NotFound, false)]
    [InlineData(500, FailureClass.ServerError, true)]
    [InlineData(502, FailureClass.Transient, true)]
    [InlineData(503, FailureClass.Transient, true)]
    [InlineData(504, FailureClass.Transient, true)]
    [InlineData(501, FailureClass.Permanent, true)]
    [InlineData(505, FailureClass.Permanent, true)]
    [InlineData(599, FailureClass.ServerError, true)]
    // The application says what its API means by it.
    [InlineData(500, FailureClass.NotFound, false)]
    [InlineData(500, FailureClass.Permanent, false)]
    [InlineData(503, FailureClass.None, false)]
    [InlineData(200, FailureClass.Transient, true)]
    [InlineData(200, FailureClass.None, false)]
    [InlineData(429, FailureClass.RateLimited, true)]
    [InlineData(429, FailureClass.Permanent, false)]
    [InlineData(400, FailureClass.Validation, false)]
    [InlineData(401, FailureClass.Authentication, false)]
    [InlineData(403, FailureClass.Authorization, false)]
    [InlineData(404, FailureClass.NotFound, false)]
    [InlineData(404, FailureClass.Transient, false)]
    [InlineData(408, FailureClass.Transient, false)]
    [InlineData(425, FailureClass.Transient, false)]
    [InlineData(499, FailureClass.Transient, false)]
    public void A_stale_response_stands_in_for_an_api_that_may_recover(int? status, FailureClass failureClass, bool expected) =>
        FallbackRules.AllowsStale(status, failureClass).ShouldBe(expected);

    [Theory]
    [InlineData(200, "", "", true)]
    [InlineData(203, "", "", true)]
    [InlineData(204, "", "", true)]
    [InlineData(201, "", "", false)]
    [InlineData(202, "Cache-Control: max-age=60", "", true)]
    [InlineData(207, "Expires: Thu, 01 Jan 2032 00:00:00 GMT", "", true)]
    [InlineData(206, "Cache-Control: max-age=60", "", false)]
    [InlineData(199, "Cache-Control: max-age=60", "", false)]
    [InlineData(300, "Cache-Control: max-age=60", "", false)]
    [InlineData(304, "Cache-Control: max-age=60", "", false)]
    [InlineData(404, "Cache-Control: max-age=60", "", false)]
    [InlineData(500, "Cache-Control: max-age=60", "", false)]
    [InlineData(200, "Cache-Control: private", "", true)]
    [InlineData(200, "Cache-Control: no-store", "", false)]
    [InlineData(200, "Cache-Control: no-cache", "", false)]
    [InlineData(200, "Cache-Control: no-cache=\"Set-Cookie\"", "", false)]
    [InlineData(200, "Cache-Control: must-revalidate", "", false)]
    [InlineData(200, "cache-control: MAX-AGE=60;must-revalidate", "", false)]
    [InlineData(200, "Cache-Control: proxy-revalidate, s-maxage=0", "", true)]
    [InlineData(200, "", "no-store", false)]
    [InlineData(200, "", "no-cache", true)]
    [InlineData(200, "", "max-age=0", true)]
    [InlineData(200, "Vary: *", "", false)]
    [InlineData(200, "Vary: Accept, *", "", false)]
    [InlineData(200, "Vary: Accept, Authorization,", "", true)]
    [InlineData(200, "Vary: Accept Authorization", "", false)]
    [InlineData(200, "Vary: Accept; Authorization", "", false)]
    // What is not compared cannot be varied by.
    [InlineData(200, "Vary: Accept, X-Request-Id", "", false)]
    [InlineData(200, "Vary: traceparent", "", false)]
    [InlineData(200, "Vary: pragma", "", false)]
    public void A_response_that_a_private_cache_may_store_is_stored(int status, string field, string asked, bool expected)
    {
        int colon = field.IndexOf(':');
        var fields = new ResponseFields(colon < 0 ? [] : [new(field[..colon], field[(colon + 2)..])]);

        FallbackRules.MayBeKept(status, fields, CacheControl.Parse(asked)).ShouldBe(expected);
    }

    [Theory]
    [InlineData(0, "", true)]
    [InlineData(160, "", true)]
    [InlineData(161, "", false)]
    [InlineData(60, "no-cache", false)]
    [InlineData(60, "no-store", false)]
    [InlineData(60, "max-age=60", true)]
    [InlineData(61, "max-age=60", false)]
    [InlineData(61, "max-age=x", false)]
    [InlineData(40, "min-fresh=20", true)]
    [InlineData(41, "min-fresh=20", false)]
    [InlineData(0, "min-fresh=x", false)]
    [InlineData(60, "garbage;", false)]
    public void A_stale_response_is_used_until_it_is_too_old_or_the_caller_forbids_it(int age, string asked, bool expected) =>
        FallbackRules.Answers(TimeSpan.FromSeconds(age), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(100), CacheControl.Parse(asked))
            .ShouldBe(expected);

    [Theory]
    [InlineData("POST", 200, FailureClass.None, true)]
    [InlineData("PUT", 204, FailureClass.None, true)]
    [InlineData("PATCH", 303, FailureClass.None, true)]
    [InlineData("DELETE", 200, FailureClass.None, true)]
    [InlineData("PURGE", 200, FailureClass.None, true)]
    [InlineData("GET", 200, FailureClass.None, false)]
    [InlineData("HEAD", 200, FailureClass.None, false)]
    [InlineData("OPTIONS", 200, FailureClass.None, false)]
    [InlineData("TRACE", 200, FailureClass.None, false)]
    [InlineData("POST", 404, FailureClass.NotFound, false)]
    [InlineData("POST", 503, FailureClass.Transient, false)]
    [InlineData("POST", 200, FailureClass.Validation, false)]
    public void An_unsafe_call_that_succeeds_invalidates(string method, int status, FailureClass failureClass, bool expected) =>
        FallbackRules.Invalidates(new(method), status, failureClass).ShouldBe(expected);

    [Theory]
    [InlineData(FailureClass.None, true)]
    [InlineData(FailureClass.Authentication, true)]
    [InlineData(FailureClass.Authorization, true)]
    [InlineData(FailureClass.NotFound, true)]
    [InlineData(FailureClass.Transient, false)]
    [InlineData(FailureClass.ServerError, false)]
    [InlineData(FailureClass.RateLimited, false)]
    [InlineData(FailureClass.Cancelled, false)]
    [InlineData(FailureClass.Validation, false)]
    [InlineData(FailureClass.Permanent, false)]
    public void A_permanent_status_ends_the_use_of_the_stored_response(FailureClass failureClass, bool expected) =>
        FallbackRules.Supersedes(failureClass).ShouldBe(expected);

    [Theory]
    [InlineData("Range", true)]
    [InlineData("range", true)]
    [InlineData("If-None-Match", true)]
    [InlineData("if-modified-since", true)]
    [InlineData("If-Range", true)]
    [InlineData("Accept-Ranges", false)]
    [InlineData("Accept", false)]
    public void A_part_or_a_difference_is_not_asked_for_here(string field, bool expected) =>
        FallbackRules.IsConditional(field).ShouldBe(expected);
}
