namespace Forerun.UnitTests;

/// <summary>Finds files of the checkout from a test.</summary>
public static class Repository
{
    /// <summary>The checkout's root: the nearest folder above the test binary that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>An absolute path of a file or folder in the checkout.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "Forerun.slnx")))
        {
            folder = System.IO.Path.GetDirectoryName(folder)
                ?? throw new DirectoryNotFoundException("No Forerun.slnx above the test binary.");
        }

        return folder;
    }
}
