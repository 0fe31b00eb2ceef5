using System.Diagnostics.CodeAnalysis;

namespace HttpResilience.AspNetCore;

/// <summary>What the page answers.</summary>
internal abstract record PageAnswer
{
    private PageAnswer()
    {
    }

    /// <summary>A page.</summary>
    /// <param name="Component">Its component, which has the one parameter Model.</param>
    /// <param name="Content">What it shows.</param>
    /// <param name="Title">For the bar of the browser.</param>
    /// <param name="Section">The entry of the navigation; null for none.</param>
    internal sealed record Page(
        [property: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)]
        [param: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] Type Component, object Content, string Title,
        string? Section)
        : PageAnswer
    {
        public int Status { get; init; } = 200;

        /// <summary>Its numbers are asked for every ten seconds.</summary>
        public bool IsLive { get; init; }

        public string? Message { get; init; }

        public bool MessageIsError { get; init; }
    }

    /// <summary>303 to an address of the page.</summary>
    /// <param name="Path">Below the prefix.</param>
    internal sealed record SeeOther(string Path) : PageAnswer;

    /// <summary>Bytes, which the handler has written.</summary>
    internal sealed record Written : PageAnswer;
}
