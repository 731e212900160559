using System.Xml.Linq;

namespace Forerun.UnitTests;

/// <summary>The shape of the repository: who may reference whom, and what names are not used.</summary>
public class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Forerun.Core"] = [],
        ["Forerun.Inference"] = ["Forerun.Core"],
        ["Forerun.Protocol"] = ["Forerun.Core"],
        ["Forerun.Edge"] = ["Forerun.Core", "Forerun.Inference", "Forerun.Protocol"],
        ["Forerun.Cloud"] = ["Forerun.Core", "Forerun.Inference", "Forerun.Protocol"],
        ["Forerun.Training"] = ["Forerun.Core", "Forerun.Inference"],
        ["Forerun.OpenAI"] = ["Forerun.Core", "Forerun.Inference", "Forerun.Edge"],
        ["Forerun.Cli"] =
        [
            "Forerun.Core", "Forerun.Inference", "Forerun.Protocol", "Forerun.Edge", "Forerun.Cloud", "Forerun.Training",
            "Forerun.OpenAI",
        ],
    };

    [Fact]
    public void ProjectReferences_FollowTheLayers()
    {
        var projects = Directory.GetFiles(Repository.Path("src"), "*.csproj", SearchOption.AllDirectories);
        Assert.Equal(Allowed.Keys.Order(), projects.Select(p => Path.GetFileNameWithoutExtension(p)).Order());
        foreach (var project in projects)
        {
            var allowed = Allowed[Path.GetFileNameWithoutExtension(project)];
            var references = XDocument.Load(project).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));
            Assert.Empty(references.Except(allowed));
        }
    }

    [Fact]
    public void SourceFiles_AreShortAndPlainlyNamed()
    {
        var banned = new[] { "Manager", "Helper", "Utils", "Processor", "Impl" };
        foreach (var file in Directory.GetFiles(Repository.Path("src"), "*.cs", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(banned, b => Path.GetFileNameWithoutExtension(file).Contains(b, StringComparison.Ordinal));
            Assert.True(File.ReadLines(file).Count() <= 400, $"{file} has more than 400 lines; split it.");
        }
    }
}
