using System.Runtime.CompilerServices;

namespace HttpResilience;

/// <summary>Sets options of one call before it is sent, and reads its <see cref="HttpCall"/> afterwards.</summary>
public static class HttpCallExtensions
{
    // A side table instead of Exception.Data, because loggers print that.
    private static readonly ConditionalWeakTable<Exception, HttpCall> Calls = [];

    extension(HttpRequestMessage request)
    {
        /// <summary>
        /// Sends this key with every attempt instead of one the chain creates. Not sent when <c>Idempotency:Enabled</c> is false.
        /// </summary>
        /// <param name="key">Visible ASCII, 1 to 255 characters.</param>
        /// <exception cref="ArgumentException">The key is not valid in a header.</exception>
        public HttpRequestMessage WithIdempotencyKey(string key)
        {
            IdempotencyKey.Validate(key);
            request.Settings.IdempotencyKey = key;
            return request;
        }

        /// <summary>Sets the application's own customer on whose behalf the call is made.</summary>
        public HttpRequestMessage WithTenant(string tenant)
        {
            request.Settings.Tenant = tenant;
            return request;
        }

        /// <summary>
        /// Adds a property to the log event of the call. The tag <c>url.template</c> replaces the path there; a tag with the name of
        /// another property becomes <c>tag.name</c>.
        /// </summary>
        public HttpRequestMessage WithTag(string name, object? value)
        {
            request.Settings.Tags[name] = value;
            return request;
        }

        /// <summary>Overrides <c>Retry:MaxRetryAttempts</c> for this call; 0 disables retries.</summary>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
        public HttpRequestMessage WithMaxRetryAttempts(int count)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(count);
            request.Settings.MaxRetryAttempts = count;
            return request;
        }

        /// <summary>
        /// Overrides <c>TotalRequestTimeout</c> for this call: how long it may take, its attempts, waits and response body included.
        /// </summary>
        /// <param name="timeout">
        /// More than zero, and at most <see cref="HttpClient.Timeout"/>: a call that asks for more throws
        /// <see cref="ArgumentOutOfRangeException"/> before it is sent; set <c>MaxTimeout</c> to allow it.
        /// </param>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is zero or negative.</exception>
        /// <exception cref="ArgumentException">The timeout of an attempt is longer than that of the call.</exception>
        public HttpRequestMessage WithTimeout(TimeSpan timeout)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
            request.Settings.Timeout = timeout;
            request.Settings.ValidateTimeouts(nameof(timeout));
            return request;
        }

        /// <summary>Overrides <c>AttemptTimeout</c> for this call: how long one attempt may take, up to the response headers.</summary>
        /// <param name="timeout">More than zero. The deadline of the call ends an attempt earlier.</param>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is zero or negative.</exception>
        /// <exception cref="ArgumentException">The timeout of an attempt is longer than that of the call.</exception>
        public HttpRequestMessage WithAttemptTimeout(TimeSpan timeout)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
            request.Settings.AttemptTimeout = timeout;
            request.Settings.ValidateTimeouts(nameof(timeout));
            return request;
        }

        private HttpCallScopeOptions Settings
        {
            get
            {
                if (!request.Options.TryGetValue(HttpCallScopeOptions.Key, out var settings))
                    request.Options.Set(HttpCallScopeOptions.Key, settings = new HttpCallScopeOptions());
                return settings;
            }
        }
    }

    extension(HttpResponseMessage response)
    {
        /// <summary>The call this response belongs to; null when it did not pass through the chain.</summary>
        public HttpCall? GetHttpCall() =>
            response.RequestMessage is { } request && request.Options.TryGetValue(HttpCall.Key, out var call) ? call : null;

        /// <summary>Lets the response name its call, also when a handler of the application has sent a copy of the request.</summary>
        internal void SetHttpCall(HttpCall call, HttpRequestMessage request)
        {
            if ((response.RequestMessage ??= request) != request)
                response.RequestMessage.Options.Set(HttpCall.Key, call);
        }

        /// <summary>
        /// The beginning of an error body, as far as the chain has read it ahead for an <see cref="IFailureClassifier"/>, a dead letter or
        /// the log; the body can still be read as a whole. In the body's own encoding, and compressed unless the primary handler
        /// decompresses. Empty when nothing was read: for a success, without a body, and when <c>Logging:ErrorBodyBytes</c> is 0.
        /// </summary>
        public ReadOnlyMemory<byte> GetErrorBody() => response.Content is PeekedContent peeked ? peeked.Seen : default;
    }

    extension(Exception exception)
    {
        /// <summary>
        /// The call that ended with this exception or one of its inner exceptions; null when it did not pass through the chain.
        /// </summary>
        public HttpCall? GetHttpCall()
        {
            for (Exception? e = exception; e is not null; e = e.InnerException)
            {
                if (e is RejectedException { Call: HttpCall rejected })
                    return rejected;
                if (Calls.TryGetValue(e, out var call))
                    return call;
            }

            return null;
        }

        internal void SetHttpCall(HttpCall call)
        {
            if (exception is RejectedException rejection)
                rejection.Call = call;
            else
                Calls.AddOrUpdate(exception, call);
        }
    }
}
