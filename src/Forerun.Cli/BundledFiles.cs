namespace Forerun.Cli;

/// <summary>Finds what comes with Forerun: beside the program, or beside any folder above it.</summary>
internal static class BundledFiles
{
    /// <summary>The nearest file or folder of this relative path; null when there is none.</summary>
    public static string? Find(string relative)
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var path = Path.Combine(folder, relative);
            if (Path.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
