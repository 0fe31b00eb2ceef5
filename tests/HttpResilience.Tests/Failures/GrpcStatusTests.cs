using System.Net;

namespace HttpResilience.Tests.Failures;

/// <summary>The status of a gRPC call in the head of its response.</summary>
public sealed class GrpcStatusTests
{
    [Theory]
    [InlineData(1, FailureClass.Permanent, false, false)]
    [InlineData(2, FailureClass.ServerError, true, true)]
    [InlineData(3, FailureClass.Validation, false, false)]
    [InlineData(4, FailureClass.Transient, true, true)]
    [InlineData(5, FailureClass.NotFound, false, false)]
    [InlineData(6, FailureClass.Conflict, false, false)]
    [InlineData(7, FailureClass.Authorization, false, false)]
    [InlineData(8, FailureClass.RateLimited, true, false)]
    [InlineData(9, FailureClass.Validation, false, false)]
    [InlineData(10, FailureClass.Conflict, false, false)]
    [InlineData(11, FailureClass.Validation, false, false)]
    [InlineData(12, FailureClass.Permanent, false, false)]
    [InlineData(13, FailureClass.ServerError, true, true)]
    [InlineData(14, FailureClass.Transient, true, true)]
    [InlineData(15, FailureClass.ServerError, true, true)]
    [InlineData(16, FailureClass.Authentication, false, false)]
    [InlineData(99, FailureClass.ServerError, true, true)]
    public void A_code_has_the_class_of_its_http_status(int code, FailureClass failureClass, bool isRetryable, bool isAmbiguous)
    {
        var result = GrpcStatus.Of(code);

        (result.FailureClass, result.IsRetryable, result.IsAmbiguous).ShouldBe((failureClass, isRetryable, isAmbiguous));
    }

    [Theory]
    [InlineData("14", FailureClass.Transient)]
    [InlineData("0", null)]
    [InlineData("", null)]
    [InlineData("-14", null)]
    [InlineData("fourteen", null)]
    [InlineData("99999999999", null)]
    [InlineData(null, null)]
    public void The_status_is_read_from_the_head(string? value, FailureClass? failureClass)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.OK);
        if (value is not null)
            response.Headers.TryAddWithoutValidation("grpc-status", value);

        var result = GrpcStatus.Of(response);

        (result?.FailureClass).ShouldBe(failureClass);
        (result?.StatusCode ?? 200).ShouldBe(200);
    }
}
