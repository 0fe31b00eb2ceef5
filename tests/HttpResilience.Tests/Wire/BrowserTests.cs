using System.Xml.Linq;

namespace HttpResilience.Tests.Wire;

public sealed class BrowserTests
{
    // CA1416 is an error in every build, for the platforms that a project names.
    [Fact]
    public void The_package_is_built_for_the_browser()
    {
        var project = XDocument.Load(Path.Combine(Repository.Root, "src", "HttpResilience", "HttpResilience.csproj"));

        project.Descendants("SupportedPlatform").Select(e => e.Attribute("Include")!.Value).ShouldContain("browser");
    }
}
