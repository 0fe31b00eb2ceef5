namespace HttpResilience;

/// <summary>The part of a call that says who ends it, and with which rejection.</summary>
internal static class CallEnd
{
    private static readonly CallFlag Left = new();
    private static readonly CallSlot<(Task<HttpResponseMessage> Answer, RejectedException Exception)> Rejected = new();

    extension(HttpCall call)
    {
        /// <summary>
        /// The outermost stage has no frame, and the stage that has the first one ends the call in it. A stage that cannot take it over
        /// sets it to false.
        /// </summary>
        internal bool LeavesItsEnd
        {
            get => Left.IsSet(call);
            set => Left.Set(call, value);
        }

        /// <summary>A stage rejects the call.</summary>
        /// <param name="answer">What the stage returns.</param>
        internal void Reject(Task<HttpResponseMessage> answer, RejectedException exception) => Rejected.Set(call, (answer, exception));

        /// <summary>The exception of a stage that rejected the call; null when the answer is not that of such a stage.</summary>
        internal RejectedException? RejectionIn(Task<HttpResponseMessage> answer) =>
            call.Slots is not null && Rejected.Get(call) is var rejected && ReferenceEquals(rejected.Answer, answer)
                ? rejected.Exception : null;
    }
}
