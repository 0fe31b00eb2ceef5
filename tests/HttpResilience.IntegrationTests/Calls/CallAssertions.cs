namespace HttpResilience.IntegrationTests;

internal static class CallAssertions
{
    internal static void ShouldHaveEnded(this HttpCall? call, int attempts, FailureClass failureClass, StopReason reason)
    {
        call.ShouldNotBeNull();
        call.Attempts.Count.ShouldBe(attempts, $"{call.FailureClass}, {call.StopReason}");
        call.FailureClass.ShouldBe(failureClass);
        call.StopReason.ShouldBe(reason);
    }

    internal static void ShouldHaveSucceeded(this HttpResponseMessage response, int attempts)
    {
        response.GetHttpCall().ShouldHaveEnded(attempts, FailureClass.None, StopReason.Succeeded);
        ((int)response.StatusCode).ShouldBeLessThan(400);
    }
}
