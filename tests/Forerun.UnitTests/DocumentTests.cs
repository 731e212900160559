using System.Text.RegularExpressions;

namespace Forerun.UnitTests;

/// <summary>Every link between the repository's pages leads somewhere.</summary>
public partial class DocumentTests
{
    public static TheoryData<string> Pages { get; } =
    [
        .. new[] { "docs", "models", "data", "bench", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Repository.Path(folder), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repository.Root, "*.md"))
            .Select(page => Path.GetRelativePath(Repository.Root, page))
            .Where(page => !page.Contains("node_modules", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_FileAndHeading_Exist(string page)
    {
        foreach (Match link in Link().Matches(File.ReadAllText(Repository.Path(page))))
        {
            var (target, heading) = (link.Groups["target"].Value, link.Groups["heading"].Value);
            var file = target.Length == 0 ? Repository.Path(page) : Path.Combine(Path.GetDirectoryName(Repository.Path(page))!, target);
            Assert.True(File.Exists(file) || Directory.Exists(file), $"{page} links to {target}, which does not exist.");
            Assert.True(
                heading.Length == 0 || Headings(file).Contains(heading), $"{page} links to {target}#{heading}; {target} has no such heading.");
        }
    }

    /// <summary>As they are written in links: lower case, spaces as hyphens, no other punctuation.</summary>
    private static HashSet<string> Headings(string file) =>
    [
        .. File.ReadLines(file)
            .Where(line => line.StartsWith('#'))
            .Select(line => Punctuation().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), string.Empty).Replace(' ', '-')),
    ];

    [GeneratedRegex(@"\]\((?!https?:)(?<target>[^)#\s]*)(#(?<heading>[^)\s]*))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
