namespace HttpResilience.Tests.Http;

public sealed class HttpAuthorityTests
{
    [Theory]
    [InlineData("https://api.example.com/v1/a?b=c#d", "https://api.example.com")]
    [InlineData("https://api.example.com:443/", "https://api.example.com")]
    [InlineData("http://api.example.com:80/", "http://api.example.com")]
    [InlineData("https://api.example.com:80/", "https://api.example.com:80")]
    [InlineData("http://api.example.com:443/", "http://api.example.com:443")]
    [InlineData("HTTPS://API.Example.COM:8443/", "https://api.example.com:8443")]
    [InlineData("https://user:secret@api.example.com/", "https://api.example.com")]
    [InlineData("http://127.0.0.1:5000/", "http://127.0.0.1:5000")]
    [InlineData("http://[::1]/", "http://[::1]")]
    [InlineData("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080")]
    [InlineData("https://b\u00fccher.example/", "https://xn--bcher-kva.example")]
    public void An_authority_reads_as_scheme_host_and_port(string uri, string text) =>
        new HttpAuthority(new Uri(uri)).ToString().ShouldBe(text);

    [Theory]
    [InlineData("https://a.example/x", "https://a.example/y?z=1")]
    [InlineData("https://a.example", "https://a.example:443")]
    [InlineData("http://a.example", "http://a.example:80")]
    [InlineData("https://A.EXAMPLE", "HTTPS://a.example")]
    [InlineData("https://user:secret@a.example", "https://a.example")]
    [InlineData("https://b\u00fccher.example", "https://xn--bcher-kva.example")]
    public void The_same_authority_written_in_another_way_is_the_same(string one, string other)
    {
        var (a, b) = (new HttpAuthority(new Uri(one)), new HttpAuthority(new Uri(other)));

        a.ShouldBe(b);
        a.Equals((object)b).ShouldBeTrue();
        a.GetHashCode().ShouldBe(b.GetHashCode());
    }

    [Theory]
    [InlineData("https://a.example", "http://a.example")]
    [InlineData("https://a.example", "https://a.example:8443")]
    [InlineData("https://a.example", "https://b.example")]
    [InlineData("https://a.example", "https://api.a.example")]
    [InlineData("http://a.example:443", "https://a.example:443")]
    public void Another_scheme_host_or_port_is_another_authority(string one, string other)
    {
        var (a, b) = (new HttpAuthority(new Uri(one)), new HttpAuthority(new Uri(other)));

        a.ShouldNotBe(b);
        a.Equals((object)b).ShouldBeFalse();
    }

    [Fact]
    public void An_authority_is_not_its_text() =>
        new HttpAuthority(new Uri("https://a.example")).Equals((object)"https://a.example").ShouldBeFalse();

    [Fact]
    public void A_request_without_an_absolute_URI_has_no_name_of_an_authority()
    {
        HttpAuthority.NameOf(new HttpRequestMessage(HttpMethod.Get, "relative/path")).ShouldBe("");
        HttpAuthority.NameOf(new HttpRequestMessage()).ShouldBe("");
        HttpAuthority.NameOf(new HttpRequestMessage(HttpMethod.Get, "https://a.example/x")).ShouldBe("https://a.example");
    }

    /// <summary>The latest texts are kept, those of few authorities.</summary>
    [Fact]
    public void Each_of_many_authorities_reads_as_itself_on_every_thread()
    {
        Parallel.For(0, 4, thread =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                int host = (i * (thread + 1)) % 500;
                string text = $"http{(host % 2 == 0 ? "" : "s")}://host{host / 4}.example:{8000 + host % 4}";
                new HttpAuthority(new Uri(text)).ToString().ShouldBe(text);
            }
        });
    }

    [Fact]
    public void The_text_of_the_same_authority_is_not_composed_again()
    {
        var uri = new Uri("https://api.example.com:8443/v1");

        new HttpAuthority(uri).ToString().ShouldBeSameAs(new HttpAuthority(uri).ToString());
    }
}
